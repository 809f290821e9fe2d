"""Playground, rules and simulations without a browser: views, JSON twins, roles, acts."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from adapter.settings.values import Settings
from tests.console.opened import ADMIN, OPERATOR, READER, ROOT, SECURED, Client, console_settings, opened

RULE = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100]}
    action: {type: percentage_off, value: 15, max_amount: 40}
    guardrails: {max_daily_redemptions: 5, stackable: true}
"""
CHEAPER = RULE.replace("cart_value >= 100", "cart_value >= 10")
PAYLOAD = {
    "type": "track", "event": "Checkout Started", "messageId": "m-1", "userId": "u-1",
    "timestamp": "2026-11-30T10:00:00Z", "properties": {"value": 50, "currency": "EUR"},
}  # fmt: skip


def settings(folder: Path, **values: Any) -> Settings:
    """Return settings of a store and of files in a folder: the starter's mappings, and one rule."""
    copytree(ROOT / "mappings", folder / "mappings")
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULE)
    return console_settings(
        folder, files__mappings=str(folder / "mappings"), files__rules=str(folder / "rules"), **values
    )


async def send(client: Client, payload: Any = PAYLOAD) -> None:
    response = await client.post("/webhooks/segment", json=payload)
    assert response.status_code == 200, response.text


async def test_the_playground_tries_a_payload_with_the_files_in_force(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        form = {"csrf": await client.csrf("/console/playground"), "payload": json.dumps(PAYLOAD)}
        page = await client.post("/console/playground", data=form)
        assert page.status_code == 200
        assert "cart_value is 50, needs at least 100" in unescape(page.text)
        found = (await client.post("/console/playground.json", data=form)).json()
        [result] = found["run"]["results"]
        fields = {
            field["name"]: field["paths"]
            for each in result["mapping"]["mappings"]
            for field in each.get("fields", ())
        }
        assert any("userId" in path for paths in fields.values() for path in paths)
        assert await client.app.store.customer("u-1") is None


async def test_a_draft_is_compared_with_the_files_in_force(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        form = {
            "csrf": await client.csrf("/console/playground"), "payload": json.dumps(PAYLOAD),
            "rules": "rules.yaml", "rules_opened": "rules.yaml", "rules_text": CHEAPER.replace("\n", "\r\n"),
        }  # fmt: skip
        found = (await client.post("/console/playground.json", data=form)).json()
        assert found["runnable"]
        assert found["run"]["results"][0]["discounts"]
        [change] = found["changes"]
        assert [line["text"].strip() for line in change["lines"] if line["kind"] == "added"] == [
            "conditions: {all: [cart_value >= 10]}"
        ]
        assert found["outcome"]
        assert (tmp_path / "rules" / "rules.yaml").read_text() == RULE


async def test_a_draft_is_checked_at_its_lines_while_it_is_typed(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        form = {
            "csrf": await client.csrf("/console/playground"), "kind": "rules", "rules": "rules.yaml",
            "rules_opened": "rules.yaml", "rules_text": RULE.replace("cart_value >= 100", "cart_value >="),
        }  # fmt: skip
        headers = {"HX-Request": "true", "HX-Target": "div#rules_problems"}
        part = await client.post("/console/playground/check", data=form, headers=headers)
        assert part.status_code == 200
        assert 'data-line="4"' in part.text
        assert "<html" not in part.text


async def test_a_recorded_message_is_opened_by_its_id(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        await send(client)
        found = await client.twin("/console/playground?message=m-1")
        assert json.loads(found["payload"])["userId"] == "u-1"
        missing = await client.twin("/console/playground?message=m-2")
        assert (missing["searched"]["message_id"], missing["run"]) == ("m-2", None)


async def test_a_message_among_the_events_leads_to_the_playground(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        await send(client)
        [listed] = (await client.twin("/console/events"))["messages"]["messages"]
        page = (await client.get(f"/console/event?id={listed['id']}")).text
        [link] = re.findall(r'href="(/console/playground\?[^"]+)"', page)
        assert (await client.twin(unescape(link)))["named"] == "m-1"


async def test_a_quarantined_message_is_opened_to_mend_its_mapping(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        await send(client, {**PAYLOAD, "userId": None})
        [kept] = await client.app.store.quarantined()
        found = await client.twin(f"/console/playground?quarantine={kept.id}")
        assert (found["origin"], json.loads(found["payload"])["event"]) == ("quarantine", "Checkout Started")
        assert found["run"]["results"][0]["outcome"] == "quarantined"
        assert "in quarantine" in (await client.twin("/console/playground?quarantine=999"))["error"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd"])
async def test_no_other_file_is_opened_as_a_fixture(tmp_path: Path, name: str) -> None:
    async with opened(settings(tmp_path)) as client:
        found = await client.twin(f"/console/playground?fixture={name}")
        assert "no fixture is named" in found["error"]


async def test_a_test_case_is_made_of_what_is_tried(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        payload = {**PAYLOAD, "context": {"traits": {"email": "ada@example.org"}}}
        form = {
            "csrf": await client.csrf("/console/playground"), "payload": json.dumps(payload), "case": "true",
            "case_name": "A small cart",
        }  # fmt: skip
        made = (await client.post("/console/playground.json", data=form)).json()
        assert made["made_name"] == "A-small-cart"
        assert "ada@example.org" not in made["made"]["fixture"]
        assert made["made"]["cases"].startswith("source: segment\ncases:\n  - name: A small cart")


async def test_a_draft_is_written_by_an_administrator_where_files_are_written(tmp_path: Path) -> None:
    async with opened(settings(tmp_path, console__write_files=True, **SECURED)) as client:
        await client.sign_in(ADMIN)
        opened_file = (await client.twin("/console/playground?rules=rules.yaml"))["editors"][1]
        form = {"kind": "rules", "name": "rules.yaml", "text": CHEAPER, "digest": opened_file["digest"]}
        page = await client.act("/console/playground/write", "/console/playground", **form)
        assert "is written" in page.text
        assert (tmp_path / "rules" / "rules.yaml").read_text() == CHEAPER
        again = await client.act("/console/playground/write", "/console/playground", **form)
        assert again.status_code == 409
        [entry, *_] = [each for each in await client.app.store.audit() if each.state == "done"]
        assert (entry.action, json.loads(bytes(entry.after))) == ("Write a mapping or rule file", CHEAPER)


async def test_a_case_is_written_beside_the_mappings(tmp_path: Path) -> None:
    async with opened(settings(tmp_path, console__write_files=True)) as client:
        form = {"name": "../x", "fixture": "{}\n", "cases": "source: segment\ncases: []\n"}
        page = await client.act("/console/playground/case", "/console/playground", **form)
        assert page.status_code == 200
        assert (tmp_path / "mappings" / "x.json").read_text() == "{}\n"
        assert (tmp_path / "mappings" / "x.test.yaml").exists()


async def test_no_file_is_written_where_the_settings_do_not_say_so(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        form = {"kind": "rules", "name": "new.yaml", "text": CHEAPER}
        page = await client.act("/console/playground/write", "/console/playground", **form)
        assert page.status_code == 403
        assert not (tmp_path / "rules" / "new.yaml").exists()


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        (READER, "/console/rules", 200),
        (READER, "/console/rule?name=cart", 200),
        (READER, "/console/simulations", 200),
        (READER, "/console/playground", 403),
        (OPERATOR, "/console/playground", 200),
    ],
)
async def test_each_page_asks_for_its_role(tmp_path: Path, token: str, path: str, status: int) -> None:
    async with opened(settings(tmp_path, **SECURED)) as client:
        await client.sign_in(token)
        assert (await client.get(path)).status_code == status


@pytest.mark.parametrize(
    ("token", "path", "form"),
    [
        (READER, "/console/simulations/start", {"since": "30d"}),
        (READER, "/console/rule/lift", {"name": "cart"}),
        (OPERATOR, "/console/playground/write", {"kind": "rules", "name": "rules.yaml", "text": CHEAPER}),
        (OPERATOR, "/console/playground/case", {"name": "x", "fixture": "{}", "cases": "a"}),
    ],
)
async def test_each_act_asks_for_its_role(
    tmp_path: Path, token: str, path: str, form: dict[str, str]
) -> None:
    async with opened(settings(tmp_path, console__write_files=True, **SECURED)) as client:
        await client.sign_in(token)
        assert (await client.act(path, "/console/rules", **form)).status_code == 403


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("/console/rules?search=c", "found"),
        ("/console/rule?name=cart", "lift"),
        ("/console/simulations", "runs"),
    ],
)
async def test_a_part_of_a_page_comes_alone(tmp_path: Path, path: str, block: str) -> None:
    async with opened(settings(tmp_path)) as client:
        part = await client.get(path, headers={"HX-Request": "true", "HX-Target": f"div#{block}"})
        assert part.status_code == 200
        assert f'id="{block}"' in part.text
        assert "<html" not in part.text


async def test_rules_are_listed_searched_and_opened(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        await send(client, {**PAYLOAD, "properties": {"value": 150, "currency": "EUR"}})
        page = await client.get("/console/rules?search=CART")
        assert page.status_code == 200
        assert "max_daily_redemptions" in page.text
        assert "No rule has" in (await client.get("/console/rules?search=nothing")).text
        one = await client.get("/console/rule?name=cart")
        assert "1 of 1" in one.text
        assert f"{tmp_path}/rules/rules.yaml:2" in one.text
        assert (await client.get("/console/rule?name=nobody")).status_code == 404


@pytest.mark.process
async def test_the_lift_of_a_rule_is_measured_on_demand(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        page = await client.act("/console/rule/lift", "/console/rule?name=cart", name="cart")
        assert "Being measured" in page.text
        await client.app.authoring.measured.ended()
        assert (await client.twin("/console/rule?name=cart"))["shown"]["lift_at"]


@pytest.mark.process
async def test_a_simulation_is_started_watched_compared_downloaded_and_deleted(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        await send(client)
        ids = []
        for draft in ({}, {"name": "rules.yaml", "text": CHEAPER}):
            page = await client.act(
                "/console/simulations/start", "/console/simulations", since="400d", **draft
            )
            assert page.status_code == 200
            found = re.search(r"id=([^&\"]+)", str(page.url))
            assert found
            ids.append(found[1])
            await client.app.authoring.simulations.ended(found[1])
        first, second = ids
        shown = await client.twin(f"/console/simulation?id={second}&other={first}")
        assert (shown["run"]["state"], shown["run"]["error"]) == ("done", "")
        assert shown["result"]["shown"]["issued"] == 1
        assert shown["result"]["before"]["issued"] == 0
        assert shown["other"]["result"]["shown"]["issued"] == 0
        assert [each["source_id"] for each in shown["result"]["comparison"]["more"]] == ["u-1"]
        page = await client.get(f"/console/simulation?id={second}&other={first}")
        assert "Some who gain" in page.text
        headers = {"HX-Request": "true", "HX-Target": "div#state"}
        part = await client.get(f"/console/simulation?id={second}", headers=headers)
        assert (part.status_code, "<html" in part.text) == (200, False)
        download = await client.get(f"/console/simulation.html?id={second}")
        assert download.headers["content-disposition"].startswith("attachment")
        assert "<style>" in download.text
        gone = await client.act("/console/simulations/delete", "/console/simulations", id=second)
        assert gone.status_code == 200
        assert [run["id"] for run in (await client.twin("/console/simulations"))["runs"]] == [first]


def drafts(*given: tuple[str, str]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Return files as a form with a choice of several sends them."""
    return [("files", (name, text.encode(), "application/yaml")) for name, text in given]


@pytest.mark.process
async def test_a_folder_of_drafts_is_uploaded_and_simulated(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        await send(client)
        other = CHEAPER.replace("name: cart", "name: other").replace("\n", "\r\n")
        page = await client.post(
            "/console/simulations/start", follow_redirects=True,
            data={"csrf": await client.csrf("/console/simulations"), "since": "400d"},
            files=drafts(("drafts/rules.yaml", CHEAPER), ("C:\\drafts\\other.yaml", other)),
        )  # fmt: skip
        found = re.search(r"id=([^&\"]+)", str(page.url))
        assert found, page.text
        await client.app.authoring.simulations.ended(found[1])
        shown = await client.twin(f"/console/simulation?id={found[1]}")
        assert (shown["run"]["title"], shown["run"]["state"]) == ("rules.yaml, other.yaml", "done")
        issued = {each["rule"]["rule"]: each["rule"]["issued"] for each in shown["result"]["shown"]["rules"]}
        assert issued == {"cart": 1, "other": 1}


@pytest.mark.parametrize(
    ("files", "form", "status", "said"),
    [
        (drafts(("a.yaml", RULE), ("sub/a.yaml", RULE)), {}, 400, "two drafts have the name `a.yaml`"),
        (drafts(("a.txt", RULE)), {}, 422, "`a.txt` is not the name of a rule file"),
        ([], {"whole": "true"}, 422, "there are no drafts"),
        (drafts(*((f"a{at}.yaml", RULE) for at in range(51))), {}, 422, "simulate 50 at most"),
        (drafts(*((f"a{at}.yaml", RULE) for at in range(101))), {}, 400, "Too many files"),
        ([("files", ("a.yaml", b"\xff", "application/yaml"))], {}, 400, "is not UTF-8 text"),
    ],
)
async def test_drafts_that_cannot_be_simulated_are_refused_with_the_reason(
    tmp_path: Path, files: Any, form: dict[str, str], status: int, said: str
) -> None:
    async with opened(settings(tmp_path)) as client:
        data = {"csrf": await client.csrf("/console/simulations"), **form}
        page = await client.post("/console/simulations/start", data=data, files=files, follow_redirects=True)
        assert (page.status_code, said in page.text) == (status, True), page.text


async def test_a_running_simulation_is_watched_and_cancelled(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        service = client.app.authoring.simulations

        async def forever(_request: Any, _tell: Any) -> Any:
            await asyncio.Event().wait()

        service._ask = forever
        page = await client.act("/console/simulations/start", "/console/simulations", since="30d")
        assert "reading the events" in page.text
        found = re.search(r"id=([^&\"]+)", str(page.url))
        assert found
        twice = await client.act("/console/simulations/start", "/console/simulations", since="30d")
        assert twice.status_code == 409
        page = await client.act(
            "/console/simulations/cancel", f"/console/simulation?id={found[1]}", id=found[1]
        )
        assert "cancelled" in page.text


async def test_what_cannot_be_simulated_is_said(tmp_path: Path) -> None:
    async with opened(settings(tmp_path)) as client:
        page = await client.act("/console/simulations/start", "/console/simulations", since="soon")
        assert page.status_code == 422
        assert "is no time" in page.text
