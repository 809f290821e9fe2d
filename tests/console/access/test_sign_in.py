"""Who may visit the console, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adapter.app import compose
from adapter.console.access.accounts import entry
from adapter.console.access.attempts import IN_ALL, PER_ADDRESS
from tests.console.opened import ADMIN, BASE, OPERATOR, READER, SECURED, Client, console_settings, opened

AUDIT = "/console/audit"


async def test_without_any_secret_this_machine_is_let_in(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path)) as client:
        assert (await client.get(AUDIT)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.example"},
    ],
)
async def test_without_any_secret_proxies_and_pages_of_other_sites_are_refused(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with opened(console_settings(tmp_path)) as client:
        assert (await client.get(AUDIT, headers=headers)).status_code == 403


async def test_with_a_secret_this_machine_has_to_sign_in_too(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, segment__shared_secrets=("s",))) as client:
        response = await client.get(f"{AUDIT}?customer=u-7")
        assert response.status_code == 303
        assert response.headers["location"] == "/console/sign-in?next=%2Fconsole%2Faudit%3Fcustomer%3Du-7"
        assert (await client.get(f"{AUDIT}.json")).status_code == 401


async def test_a_token_is_exchanged_for_a_cookie_that_scripts_cannot_read(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        response = await client.post("/console/sign-in", data={"token": ADMIN, "next": f"{AUDIT}?customer=7"})
        cookie = response.headers["set-cookie"]
        assert (response.status_code, response.headers["location"]) == (303, f"{AUDIT}?customer=7")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert ADMIN not in cookie
        assert (await client.get(AUDIT)).status_code == 200


async def test_the_cookie_is_sent_over_tls_alone_where_the_browser_speaks_tls(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        headers = {"X-Forwarded-Proto": "https"}
        response = await client.post("/console/sign-in", data={"token": ADMIN}, headers=headers)
        assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/console\\..\\x", "/v1/erase"])
async def test_a_sign_in_leads_to_the_console_alone(tmp_path: Path, place: str) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        response = await client.post("/console/sign-in", data={"token": ADMIN, "next": place})
        assert response.headers["location"] == "/console/now"


async def test_a_named_token_signs_in_under_its_name_with_its_role(tmp_path: Path) -> None:
    tokens = (entry("ann", "operate", "ann-has-this"), entry("bob", "read", "bob-has-that"))
    async with opened(console_settings(tmp_path, console__tokens=tokens)) as client:
        await client.sign_in("ann-has-this")
        assert "<bdi>ann</bdi> <span" in (await client.get(AUDIT)).text
        await client.sign_in("bob-has-that")
        assert (await client.get(AUDIT)).status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", "checkout-token"])
async def test_a_token_that_may_not_visit_is_refused(tmp_path: Path, token: str) -> None:
    settings = console_settings(tmp_path, **SECURED, api__checkout_tokens=("checkout-token",))
    async with opened(settings) as client:
        response = await client.sign_in(token)
        assert response.status_code == 403
        assert "set-cookie" not in response.headers


async def test_wrong_tokens_of_one_address_are_limited_also_for_the_right_one_after_them(
    tmp_path: Path,
) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        answers = [(await client.sign_in("wrong")).status_code for _ in range(PER_ADDRESS)]
        assert answers == [403] * PER_ADDRESS
        limited = await client.sign_in(ADMIN)
        assert (limited.status_code, int(limited.headers["retry-after"]) > 200) == (429, True)
        other = {"X-Forwarded-For": "198.51.100.7"}
        response = await client.post("/console/sign-in", data={"token": ADMIN}, headers=other)
        assert response.status_code == 303


async def test_who_is_not_behind_a_proxy_cannot_say_another_address(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        client._transport = httpx.ASGITransport(client.app.asgi, client=("203.0.114.9", 1))
        for number in range(PER_ADDRESS):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            await client.post("/console/sign-in", data={"token": "wrong"}, headers=headers)
        assert (await client.sign_in(ADMIN)).status_code == 429


async def test_wrong_tokens_that_arrive_at_once_are_limited_too(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        at_once = PER_ADDRESS + 5
        begun = asyncio.Barrier(at_once)

        async def late() -> AsyncIterator[bytes]:
            yield b"token="
            await begun.wait()
            yield b"wrong"

        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        posts = [client.post("/console/sign-in", content=late(), headers=kind) for _ in range(at_once)]
        answers = [each.status_code for each in await asyncio.gather(*posts)]
        assert sorted(answers) == [403] * PER_ADDRESS + [429] * 5


async def test_wrong_tokens_of_many_addresses_are_limited_together(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        for number in range(IN_ALL):
            headers = {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250}"}
            await client.post("/console/sign-in", data={"token": "wrong"}, headers=headers)
        headers = {"X-Forwarded-For": "203.0.113.1"}
        response = await client.post("/console/sign-in", data={"token": ADMIN}, headers=headers)
        assert response.status_code == 429


async def test_wrong_tokens_are_limited_over_all_processes_of_a_store(tmp_path: Path) -> None:
    """A second application over the same file stands for another process."""
    async with opened(console_settings(tmp_path, **SECURED)) as client, Client(client.app) as other:
        again = compose(client.app.settings, client.app.store)
        other._transport = httpx.ASGITransport(again.asgi)
        answers = [(await each.sign_in("wrong")).status_code for each in (client, other) * (PER_ADDRESS // 2)]
        assert answers == [403] * PER_ADDRESS
        assert [(await each.sign_in(ADMIN)).status_code for each in (client, other)] == [429, 429]


async def test_right_tokens_do_not_count(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        answers = [(await client.sign_in(ADMIN)).status_code for _ in range(PER_ADDRESS + 1)]
        assert answers == [303] * (PER_ADDRESS + 1)


async def test_signing_out_ends_the_session_also_for_who_has_copied_the_cookie(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        await client.sign_in(OPERATOR)
        copied = dict(client.cookies)
        form = {"csrf": await client.csrf()}
        assert (await client.post("/console/sign-out", data=form)).status_code == 303
        client.cookies.update(copied)
        assert (await client.get(AUDIT)).status_code == 303


async def test_a_token_that_is_taken_out_of_the_settings_ends_its_sessions(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        await client.sign_in(OPERATOR)
        copied = dict(client.cookies)
    async with opened(console_settings(tmp_path, api__tokens=(ADMIN,))) as client:
        client.cookies.update(copied)
        assert (await client.get(AUDIT)).status_code == 303


async def test_another_role_sees_no_more_than_its_own(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path, **SECURED)) as client:
        await client.sign_in(READER)
        response = await client.get(AUDIT)
        assert response.status_code == 403
        assert "this needs `operate`" in response.text
        await client.sign_in(OPERATOR)
        assert (await client.get("/console/audit.jsonl")).status_code == 403


async def test_every_page_forbids_what_it_does_not_need(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path)) as client:
        headers = (await client.get(AUDIT)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; script-src 'self' 'nonce-")
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"


async def test_the_root_leads_to_the_console(tmp_path: Path) -> None:
    async with opened(console_settings(tmp_path)) as client:
        for path in ("/", "/console", "/console/"):
            assert (await client.get(path)).headers["location"] == "/console/now"
        assert str(client.base_url) == BASE
