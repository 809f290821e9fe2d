"""What is stored of the files of `cases.jsonl`, and how a file of refused rows looks."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapter.bulk.cells import CellOptions
from adapter.bulk.codes import CodeRows
from adapter.bulk.csv_reader import read_csv
from adapter.bulk.entries import BadRow
from adapter.bulk.kinds import CODES
from adapter.bulk.records import ReadOptions
from adapter.model.imports import ImportOptions
from adapter.services.bulk.refused_file import Layout
from tests.bulk.conftest import NOW, Shop
from tests.bulk.importing import history, live, order, reasons, run
from tests.bulk.test_cases import CASES, content, expected


async def test_a_row_that_is_not_utf8_keeps_its_bytes_and_names_byte_and_column(shop1: Shop) -> None:
    ended = await run(shop1, "I04")
    assert "byte 0xE9" in reasons(ended)
    assert "(column name)" in reasons(ended)
    file = await shop1.refused_file(ended, Layout("csv", ("source_id", "name")))
    assert b"c-3,Jos\xe9,4," in file
    again = await shop1.imports("customers", content(CASES["I04"]), encoding="windows-1252")
    assert again.job.counts.accepted == 4
    customer = await shop1.store.customer("c-3")
    assert customer is not None
    assert customer.name == "José"


async def test_codes_with_delimiters_in_them_are_not_split(shop1: Shop) -> None:
    await run(shop1, "I06", pool="spring")
    owners = await shop1.store.code_owners(["SPRING|10", "SPRING|20", "AB;7"])
    assert set(owners.values()) == {"spring"}
    assert len(owners) == 3


async def test_columns_that_mean_the_same_are_named(shop1: Shop) -> None:
    error = (await run(shop1, "I10")).job.error
    assert "columns 2 (email) and 3 (Email)" in error
    assert "columns 4 (City) and 5 (Address_City) both mean address.city" in error


async def test_a_column_can_be_left_out(shop1: Shop) -> None:
    renamed = {"Email": "", "Address_City": "traits.city"}
    ended = await run(shop1, "I10", columns=renamed)
    assert ended.job.counts.accepted == 1
    assert await shop1.traits("c-1") == {"city": "Oslo"}


async def test_voucherifys_template_is_read_by_the_data_model(shop1: Shop) -> None:
    await run(shop1, "I11")
    before = await shop1.traits("c-1")
    assert before["favorite_brands"] == "Kiwi,Plum"
    assert "newsletter" not in before
    shop1.declare("traits:\n  favorite_brands: array of string\n  joined_on: datetime\n")
    await run(shop1, "I11")
    customer = await shop1.store.customer("c-1")
    assert customer is not None
    assert customer.traits["favorite_brands"] == ["Kiwi", "Plum"]
    assert customer.address == {
        "line_1": "1 Elm Rd", "city": "Oslo", "postal_code": "0150", "country": "Norway"
    }  # fmt: skip
    assert shop1.preview("customers", content(CASES["I11"])).notes == []


async def test_headers_that_contradict_each_other_are_named(shop1: Shop) -> None:
    error = (await run(shop1, "I12")).job.error
    assert "metadata.tier is a value in column 2 and an object in column 3" in error
    assert "column 4 (metadata..x)" in error
    assert "column 7 (metadata.)" in error
    assert "columns 5 (tags[]) and 6 (tags[0]) both mean tags" in error


async def test_dotted_headers_build_objects(shop1: Shop) -> None:
    await shop1.imports("customers", 'source_id,traits.a.b,tags[],metadata["x.y"]\nc-1,v,"p, q",z\n')
    assert await shop1.traits("c-1") == {"a": {"b": "v"}, "tags": ["p", "q"], "x.y": "z"}


async def test_an_empty_cell_keeps_or_clears(shop1: Shop) -> None:
    await shop1.imports("customers", "source_id,name,metadata.tier\nc-1,Ada,gold\n")
    await run(shop1, "I14")
    assert await shop1.traits("c-1") == {"tier": "gold"}
    assert "3 columns have empty cells" in shop1.preview("customers", content(CASES["I14"])).notes[0]
    await run(shop1, "I14", empty="clear")
    customer = await shop1.store.customer("c-1")
    assert customer is not None
    assert (customer.name, customer.traits) == (None, {})


async def test_dates_in_another_form_are_read_when_the_form_is_named(shop1: Shop) -> None:
    ended = await run(shop1, "I17", pool="p")
    assert [row.reason.split(";")[0] for row in ended.refused] == [
        "`03/04/2030` can be read two ways", "`26/04/2030` is not ISO 8601", "2030-04-31 is not a day"
    ]  # fmt: skip
    assert (await run(shop1, "I17", pool="q", date_format="DD/MM/YYYY")).rows == [4, 5]


def codes(name: str, **options: Any) -> tuple[list[Any], list[int]]:
    """Return the codes in the file of a case, and the refused rows."""
    sheet = read_csv([content(CASES[name])], ReadOptions(known=CODES.known))
    cells = CellOptions(
        decimal_comma=options.pop("decimal", "") == "comma",
        date_format=options.pop("date_format", ""),
        zone=options.pop("zone", "UTC"),
    )
    rows = CodeRows(NOW, cells, ImportOptions(**options))
    rows.columns.take_header(sheet.header)
    found, refused = [], []
    for record in sheet.records:
        try:
            found.append(rows.code(record))
        except BadRow:
            refused.append(record.row)
    return found, refused


@pytest.mark.parametrize(("name", "options"), [("I05", {}), ("I22", {"currency": "EUR"}), ("I23", {})])
def test_worth_and_limits_of_codes_are_checked(name: str, options: dict[str, Any]) -> None:
    found, refused = codes(name, **options)
    assert (len(found), refused) == (CASES[name]["outcome"]["accepted"], expected(CASES[name]))


def test_decimal_commas_and_day_first_dates_are_read_when_they_are_named() -> None:
    [code], refused = codes("I05", decimal="comma", date_format="DD.MM.YYYY")
    assert (code.value, refused) == (Decimal("12.50"), [4])


def test_amounts_are_major_units_unless_minor_ones_are_named() -> None:
    assert codes("I22", currency="EUR")[0][0].value == Decimal(10)
    assert codes("I22", currency="EUR", money="minor")[0][0].value == Decimal("0.10")


def test_a_day_ends_in_its_zone_and_of_a_time_that_occurs_twice_the_first_is_taken() -> None:
    (first, second), _ = codes("I18", zone="Europe/Berlin")
    assert first.starts_at == datetime(2030, 11, 30, 23, tzinfo=UTC)
    assert first.expires_at == datetime(2030, 12, 31, 23, tzinfo=UTC)
    assert second.starts_at == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)


async def test_the_preview_names_zones_and_ambiguous_times(shop1: Shop) -> None:
    notes = shop1.preview("codes", content(CASES["I18"]), pool="p", zone="Europe/Berlin").notes
    assert any("times without zone were read in Europe/Berlin" in note for note in notes)
    assert any("row 3: Start Date 2030-10-27T02:30:00 occurs twice" in note for note in notes)


async def test_a_segment_archive_counts_what_live_traffic_has_not_brought(shop: Shop) -> None:
    await live(shop, order("m-2"))
    ended = await run(shop, "I24", source="segment")
    assert (ended.job.counts.accepted, ended.job.counts.duplicates) == (2, 1)
    assert (await history(shop, "c-1")).tallies["order_completed"].count == 2
    assert (await shop.traits("c-1"))["tier"] == "gold"
    assert (await shop.store.counts())["timers"] == 0


async def test_archived_events_count_at_their_own_time_in_any_order(shop1: Shop) -> None:
    await run(shop1, "I25", source="segment")
    tally = (await history(shop1, "c-9")).tallies["order_completed"]
    year = [datetime.fromtimestamp(at / 1_000_000, UTC).year for at in (tally.first, tally.last)]
    assert (tally.count, year) == (2, [2022, 2024])


async def test_an_mparticle_export_keeps_ids_exact(shop1: Shop) -> None:
    text = CASES["I26"]["input"]["files"]["folder/App_20240301_12345.txt"]
    ended = await shop1.imports("events", text, source="mparticle")
    assert (ended.job.counts.accepted, ended.rows) == (2, [])
    assert (await shop1.traits("c-1"))["tier"] == "gold"
    [event] = await shop1.store.events("c-1")
    assert "-3402163370598315325" in event.id


async def test_one_bad_event_does_not_cost_its_batch(shop1: Shop) -> None:
    text = CASES["I27"]["input"]["text"].replace(
        '"data":{"source_message_id":"s-2"',
        '"data":{"event_name":"' + "x" * 300 + '","source_message_id":"s-2"',
    )
    ended = await shop1.imports("events", text, source="mparticle")
    assert (ended.job.counts.accepted, ended.rows, ended.refused[0].path) == (1, [1], "events[1]")
    assert len(await shop1.store.events("c-1")) == 1
    mended = ended.refused[0].raw.replace(b"x" * 300, b"B")
    again = await shop1.imports("events", mended, source="mparticle")
    assert again.job.counts.accepted == 1
    assert len(await shop1.store.events("c-1")) == 2
    whole = await shop1.imports("events", text, source="mparticle")
    assert whole.job.counts.refused == 1
    assert len(await shop1.store.events("c-1")) == 2


async def test_a_file_that_is_cut_off_is_a_failed_import_with_the_rows_before(shop1: Shop) -> None:
    whole = gzip.compress(b"source_id\n" + b"".join(b"c-%d\n" % i for i in range(100)))
    ended = await shop1.imports("customers", whole[:-9])
    assert ended.job.state == "failed"
    assert "in the middle of the compressed stream" in ended.job.error
    assert (await shop1.store.counts())["customers"] == ended.job.counts.accepted
    assert (await shop1.imports("customers", whole)).job.state == "done"
    assert (await shop1.store.counts())["customers"] == 100


async def test_a_quote_that_never_closes_fails_the_import_and_stores_the_rows_before(shop1: Shop) -> None:
    ended = await run(shop1, "I08")
    assert ended.job.state == "failed"
    assert "row 3: the quote opened here is never closed (column name)" in ended.job.error
    assert "rows after it were not read" in ended.job.error
    assert (await shop1.store.counts())["customers"] == 1


async def test_inches_in_a_cell_are_text(shop1: Shop) -> None:
    await run(shop1, "I09")
    customer = await shop1.store.customer("c-1")
    assert customer is not None
    assert customer.name == '6" pipe'


async def test_other_ends_of_lines_are_text_within_a_json_line(shop1: Shop) -> None:
    ended = await shop1.imports("events", content(CASES["I31"]) + b"\n{}\n")
    assert (ended.job.counts.accepted, ended.rows) == (2, [4])  # the blank line is the second row
    texts = {each.id: each.attributes.get("t") for each in await shop1.store.events("c-1")}
    assert texts == {"e1": "a\u2028b\x85c", "e2": None}


async def test_of_a_line_that_is_too_long_its_place_is_kept_and_not_its_bytes(shop1: Shop) -> None:
    [refused] = (await run(shop1, "I32")).refused
    assert (refused.row, refused.reason) == (2, "the line is longer than 10 MB (bytes 36 to 12000093)")
    assert refused.raw == b""


async def test_a_number_of_64_bits_stays_exact_and_reasons_name_what_cannot_be_kept(shop: Shop) -> None:
    said = [row.reason for row in (await run(shop, "I33")).refused]
    words = ("NaN", "out of range", "surrogate", "NUL", "`user` occurs twice")
    assert all(word in reason for word, reason in zip(words, said, strict=True)), said
    [event] = await shop.store.events("c-1")
    assert event.attributes["v"] == 7346244611012968789


async def test_wall_clocks_of_parquet_are_read_in_the_zone(shop1: Shop) -> None:
    await run(shop1, "I35", zone="America/New_York")
    [event] = await shop1.store.events("c-1")
    assert event.occurred_at == datetime(2024, 3, 1, 17, tzinfo=UTC)
    assert event.attributes["seen_at"] == "2024-03-01T12:00:00Z"


async def test_values_of_parquet_are_exact(shop1: Shop) -> None:
    await run(shop1, "I36")
    traits = await shop1.traits("c-1")
    assert (traits["tier"], traits["tags"], traits["level"]) == ("gold", ["a", "b"], "x")
    assert (traits["mpid"], str(traits["spent"])) == (7346244611012968789, "12.3")


async def test_rows_of_two_files_that_are_equal_are_one_event(shop1: Shop) -> None:
    files = CASES["I40"]["input"]["files"]
    first = await shop1.imports("events", files["d1.csv"])
    second = await shop1.imports("events", files["d2.csv"])
    assert (first.job.counts.accepted, second.job.counts.accepted, second.job.counts.duplicates) == (2, 1, 1)
    assert (await history(shop1, "c-1")).tallies["seen"].count == 3


async def test_equal_rows_of_one_file_are_events_of_their_own(shop1: Shop) -> None:
    row = "seen,c-1,2024-06-05T10:00:00Z\n"
    for count in (3, 0):
        ended = await shop1.imports("events", "name,user,occurred_at\n" + row * 3)
        assert ended.job.counts.accepted == count
    assert (await history(shop1, "c-1")).tallies["seen"].count == 3


async def test_the_file_of_refused_rows_can_be_mended_and_imported(shop1: Shop) -> None:
    ended = await run(shop1, "I41")
    file = await shop1.refused_file(ended, Layout("csv", ("source_id", "name", "metadata.joined")))
    lines = file.decode("utf-8-sig").splitlines()
    assert lines[0] == "source_id,name,metadata.joined,import.row,import.reason"
    assert lines[2].startswith("c-2,'=1+1,2024-13-01,3,")
    mended = file.replace(b"\r\n,Ada", b"\r\nc-1,Ada").replace(b"2024-13-01,", b"2024-12-01,")
    again = await shop1.imports("customers", mended)
    assert (again.job.counts.accepted, again.rows) == (2, [])
    customer = await shop1.store.customer("c-2")
    assert customer is not None
    assert (customer.name, customer.traits) == ("=1+1", {"joined": "2024-12-01"})
