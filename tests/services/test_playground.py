"""The playground: drafts checked, tried on payloads, compared with the files in force, and written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import zstandard
from msgspec.structs import replace

from adapter.errors import Forbidden, InvalidDraft, NotFound, Unreadable, WrongMove
from adapter.model.journal import JournalEntry, journal_row
from adapter.services.dry_runs.service import DryRuns
from adapter.services.playground import drafts as files
from adapter.services.playground.checking import DraftChecker
from adapter.services.playground.drafts import Draft
from adapter.services.playground.payloads import MOST_ROWS, FoundPayload, Payloads, SearchedTo
from adapter.services.playground.trying import Playground
from adapter.services.playground.writing import DraftWriter
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Console
from adapter.web.in_force import InForce
from tests.core.conftest import MAPPING, NOON, RULES, Instance
from tests.core.dry_instance import running

PAYLOAD = {
    "type": "track", "event": "Checkout Started", "userId": "c-1", "messageId": "m-1",
    "properties": {"cart_value": 150}, "timestamp": "2026-03-01T11:59:00Z",
}  # fmt: skip
DEARER = RULES.replace("cart_value >= 100", "cart_value >= 200")


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Instance]:
    """An instance on SQLite, whose files lie in `tmp_path`."""
    async with running(tmp_path) as instance:
        yield instance


@pytest.fixture
def checker(core: Instance) -> DraftChecker:
    return DraftChecker(InForce.of(core.app.settings), core.app.books, lambda: NOON)


@pytest.fixture
def playground(core: Instance, checker: DraftChecker) -> Playground:
    dry_runs = DryRuns(
        core.app.store, core.app.books, InForce.of(core.app.settings), lambda: NOON,
        room=lambda: 100, shares=lambda _code: False, patience=ReadTimeout(10),
    )  # fmt: skip
    return Playground(dry_runs, checker, InForce.of(core.app.settings))


@pytest.fixture
def writer(core: Instance, checker: DraftChecker) -> DraftWriter:
    writing = replace(core.app.settings, console=Console(write_files=True))
    return DraftWriter(checker, InForce.of(writing))


async def test_an_error_of_a_draft_is_at_its_line(checker: DraftChecker) -> None:
    text = MAPPING.replace('attributes: {"@path": $.properties}', 'attributes: {"@pat": $.properties}')
    checked = await checker.check(Draft("mappings", "mappings.yaml", text))
    line = next(at for at, each in enumerate(text.splitlines(), 1) if '@pat"' in each)
    assert not checked.passes
    assert [(each.mark.file, each.mark.line) for each in checked.problems if each.severity == "error"] == [
        ("mappings.yaml", line)
    ]


async def test_the_files_in_force_pass_as_drafts_of_themselves(checker: DraftChecker) -> None:
    for draft in (Draft("mappings", "mappings.yaml", MAPPING), Draft("rules", "rules.yaml", RULES)):
        assert (await checker.check(draft)).passes


async def test_a_draft_may_not_be_named_as_a_file_elsewhere(checker: DraftChecker) -> None:
    with pytest.raises(InvalidDraft):
        await checker.check(Draft("mappings", "../rules/rules.yaml", MAPPING))


async def test_without_drafts_the_files_in_force_decide(playground: Playground) -> None:
    tried = await playground.run(json.dumps(PAYLOAD), "", None, [])
    assert tried.run is tried.in_force
    assert tried.in_force.results[0].discounts
    assert (tried.outcome, tried.changes) == ([], [])


async def test_a_draft_of_rules_is_compared_with_what_is_in_force(playground: Playground) -> None:
    tried = await playground.run(json.dumps(PAYLOAD), "", None, [Draft("rules", "rules.yaml", DEARER)])
    assert tried.run is not None
    assert (len(tried.in_force.results[0].discounts), tried.run.results[0].discounts) == (1, [])
    [change] = tried.changes
    changed = [(line.kind, line.text.strip()) for line in change.lines if line.kind in ("added", "removed")]
    assert ("added", "conditions: {all: [cart_value >= 200]}") in changed
    assert any("needs at least 200" in line.text for line in tried.outcome if line.kind == "added")


async def test_a_draft_with_an_error_is_not_run_and_the_files_in_force_still_are(
    playground: Playground,
) -> None:
    broken = Draft("rules", "rules.yaml", RULES.replace("cart_value >= 100", "cart_value >="))
    tried = await playground.run(json.dumps(PAYLOAD), "", None, [broken])
    assert tried.run is None
    assert not tried.checked[0].passes
    assert tried.in_force.results[0].discounts


async def test_the_moment_of_a_trial_is_chosen(playground: Playground) -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    tried = await playground.run(json.dumps(PAYLOAD), "", moment, [])
    assert tried.in_force.now == moment


async def test_a_message_that_came_before_is_tried_as_a_further_one(
    playground: Playground, core: Instance
) -> None:
    sent = await core.client.post("/webhooks/segment", json=PAYLOAD)
    assert sent.json()["results"][0]["outcome"] == "processed"
    again = await playground.run(json.dumps(PAYLOAD), "", None, [])
    assert again.in_force.results[0].outcome == "processed"
    as_it_is = await playground.run(json.dumps(PAYLOAD), "", None, [], anew=False)
    assert as_it_is.in_force.results[0].outcome == "duplicate"


async def test_a_payload_that_is_no_json_is_refused_in_one_sentence(playground: Playground) -> None:
    with pytest.raises(Unreadable, match="the payload is not JSON"):
        await playground.run("{", "", None, [])


async def test_a_draft_is_written_into_its_file(writer: DraftWriter, core: Instance, tmp_path: Path) -> None:
    known = files.read(core.app.settings.files, "rules", "rules.yaml")
    written = await writer.write(Draft("rules", "rules.yaml", DEARER), known.digest)
    assert (tmp_path / "rules" / "rules.yaml").read_text() == DEARER
    assert (written.before, written.after) == (known.text, DEARER)
    assert [each.name for each in (tmp_path / "rules").iterdir()] == ["rules.yaml"]


async def test_a_new_file_is_written_where_there_was_none(writer: DraftWriter, tmp_path: Path) -> None:
    new = RULES.replace("name: cart", "name: cart-2").replace("name: minutes", "name: minutes-2")
    written = await writer.write(Draft("rules", "more.yaml", new), "")
    assert written.before is None
    assert (tmp_path / "rules" / "more.yaml").read_text() == new


async def test_a_file_that_changed_meanwhile_is_not_overwritten(
    writer: DraftWriter, core: Instance, tmp_path: Path
) -> None:
    file = tmp_path / "rules" / "rules.yaml"
    known = files.read(core.app.settings.files, "rules", "rules.yaml")
    theirs = file.read_text() + "# by another\n"
    file.write_text(theirs)
    with pytest.raises(WrongMove, match="has changed since it was opened"):
        await writer.write(Draft("rules", "rules.yaml", DEARER), known.digest)
    assert file.read_text() == theirs


async def test_a_draft_with_an_error_is_not_written(
    writer: DraftWriter, core: Instance, tmp_path: Path
) -> None:
    known = files.read(core.app.settings.files, "rules", "rules.yaml")
    with pytest.raises(InvalidDraft, match=r"rules\.yaml:"):
        await writer.write(Draft("rules", "rules.yaml", "name: x\n"), known.digest)
    assert (tmp_path / "rules" / "rules.yaml").read_text() == known.text


async def test_no_file_is_written_where_the_settings_do_not_allow_it(
    checker: DraftChecker, core: Instance
) -> None:
    with pytest.raises(Forbidden, match=r"console\.write_files"):
        await DraftWriter(checker, InForce.of(core.app.settings)).write(Draft("rules", "r.yaml", RULES), "")


class TestPayloads:
    """What a draft is tried on."""

    @pytest.fixture
    async def payloads(self, core: Instance, tmp_path: Path) -> Payloads:
        (tmp_path / "fixtures").mkdir()
        (tmp_path / "fixtures" / "one.json").write_text('{"a": 1}')
        numbers = count(1)
        return Payloads(
            core.app.store,
            InForce.of(core.app.settings),
            lambda: NOON,
            lambda: f"id-{next(numbers)}",
            ReadTimeout(10),
        )

    async def test_a_recorded_message_is_found_by_its_id(self, payloads: Payloads, core: Instance) -> None:
        await record(core, PAYLOAD)
        found = await payloads.message("m-1")
        assert isinstance(found, FoundPayload)
        assert (found.source, json.loads(found.text)) == ("segment", PAYLOAD)

    async def test_a_message_that_is_not_there_is_told_to_the_end_of_the_journal(
        self, payloads: Payloads, core: Instance
    ) -> None:
        await record(core, PAYLOAD)
        assert await payloads.message("m-2") == SearchedTo("m-2")

    async def test_a_long_search_stops_and_goes_on_from_where_it_was(
        self, payloads: Payloads, core: Instance
    ) -> None:
        await record(core, PAYLOAD, *({**PAYLOAD, "messageId": f"o-{n}"} for n in range(MOST_ROWS)))
        searched = await payloads.message("m-1")
        assert isinstance(searched, SearchedTo)
        assert searched.at == NOON
        assert isinstance(await payloads.message("m-1", searched.before), FoundPayload)

    async def test_fixtures_and_examples_are_listed_and_read(self, payloads: Payloads) -> None:
        [name] = payloads.fixtures()
        assert json.loads(payloads.fixture(name).text) == {"a": 1}
        example = payloads.example(payloads.examples()[0])
        assert json.loads(example.text)

    async def test_no_file_beside_the_fixtures_is_read(self, payloads: Payloads, tmp_path: Path) -> None:
        (tmp_path / "secret.json").write_text("{}")
        with pytest.raises(NotFound):
            payloads.fixture(str(tmp_path / "fixtures" / ".." / "secret.json"))


async def record(core: Instance, *documents: Any) -> None:
    """Put messages into the journal, each in a row of its own."""
    rows = [
        journal_row(
            [
                JournalEntry(
                    "segment", each["messageId"], each["messageId"], NOON, "processed", "", [],
                    json.dumps(each).encode(),
                )
            ],
            zstandard.ZstdCompressor(),
        )
        for each in documents
    ]  # fmt: skip
    await core.app.store.add_journal(rows)
