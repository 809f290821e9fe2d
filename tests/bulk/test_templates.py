"""Files of others: Voucherify's templates, Excel's exports, large cells, and columns that are missing."""

from __future__ import annotations

import pytest

from adapter.model.encoding import encode
from tests.bulk.conftest import Shop

CODES = {
    "coupons": (
        "Code,Voucher Type,Active,Start Date,Expiration Date,Discount Type,Value,Category,Redemption Limit,"
        "Additional Info,Region\nFALL2022,DISCOUNT_VOUCHER,FALSE,2022-09-19T00:00:00.000Z,"
        "2022-11-30T23:59:00.000Z,AMOUNT,10,New,,Planned release in Fall 2022,Europe"
    ),
    "gift cards": (
        "Code,Voucher Type,Active,Start Date,Expiration Date,Value,Category,Redemption Limit,Additional Info,"
        "Region\nGIFT100,GIFT_VOUCHER,FALSE,2022-05-01T00:00:00.000Z,2022-12-31T23:59:00.000Z,100,Gift,,"
        "Birthday gift card,Europe"
    ),
    "gift cards of a campaign": "Code,Active,Gift Amount,Category,Region\nGIFT1000,FALSE,1000,New,Europe",
    "loyalty cards": "Code,Active,Loyalty Points,Category,Season\nLoyalty100,FALSE,100,Grand-Opening,Spring",
    "coupons of a campaign": "Code,Active,Category,Region\nFALL2022,FALSE,New,Europe",
    "referral codes": "Code,Category,Redeemed quantity,Active\nREFERRAL_CODE01,1,2,true",
}
CUSTOMERS = (
    "Name,Source_id,Description,Email,Phone,Address_line_1,Address_line_2,City,Postal_Code,State,Country,"
    "Birthdate,favorite_brands,CRM_created_date\nJohn Smith,test-user@voucherify.io,A good customer.,"
    "john@voucherify.io,+1 (989) 123-4632,100 Main St,Blg 2 Apt 3,New York,12345,New York,United States,"
    '2022-07-03,"Nike,Fenty,Reebok",2022-05-18T10:00:00.000Z'
)
#: The members of a product, as Voucherify's API names them.
PRODUCTS = "name,source_id,price,image_url,attributes\nShirt,p1,13,,\"{'color':'blue'}\""
SKUS = "product_id,sku,source_id,price,image_url,attributes\np1,Extra Small,sku_1,13,,\"{'color':'blue'}\""


@pytest.mark.parametrize("name", CODES)
async def test_templates_of_codes_are_read_as_they_are(shop1: Shop, name: str) -> None:
    ended = await shop1.imports("codes", CODES[name], pool="p")
    assert (ended.job.state, ended.job.counts.accepted, ended.rows) == ("done", 1, [])
    notes = shop1.preview("codes", CODES[name].encode(), pool="q").notes
    assert any("checked, and not stored" in note for note in notes)


async def test_the_template_of_customers_is_read_as_it_is(shop1: Shop) -> None:
    await shop1.imports("customers", CUSTOMERS)
    customer = await shop1.store.customer("test-user@voucherify.io")
    assert customer is not None
    assert (customer.name, customer.phone) == ("John Smith", "+1 (989) 123-4632")
    assert (customer.address or {})["postal_code"] == "12345"
    assert customer.traits["CRM_created_date"] == "2022-05-18T10:00:00.000Z"


@pytest.mark.parametrize("file", [PRODUCTS, SKUS], ids=["products", "SKUs"])
async def test_products_are_refused_as_codes_before_anything_is_stored(shop1: Shop, file: str) -> None:
    ended = await shop1.imports("codes", file, pool="p")
    assert ended.job.state == "failed"
    assert "no column is `code`" in ended.job.error


@pytest.mark.parametrize("kind", ["customers", "events", "discounts"])
async def test_a_missing_column_is_named(shop1: Shop, kind: str) -> None:
    ended = await shop1.imports(kind, "x,y\n1,2\n")  # type: ignore[arg-type]
    assert (ended.job.state, ended.job.counts.rows) == ("failed", 0)
    assert "no column is `" in ended.job.error


async def test_excel_in_utf16_with_semicolons_and_line_breaks(shop1: Shop) -> None:
    text = 'source_id;name;metadata.note\r\nc-1;Žofie;"two\r\nlines; and ""quotes"""\r\n'
    ended = await shop1.imports("customers", text.encode("utf-16"))
    assert (ended.job.counts.accepted, ended.rows) == (1, [])
    customer = await shop1.store.customer("c-1")
    assert customer is not None
    assert (customer.name, customer.traits["note"]) == ("Žofie", 'two\r\nlines; and "quotes"')


async def test_a_cell_of_ten_megabytes_is_read_and_refused_for_its_size_alone(shop1: Shop) -> None:
    text = "source_id,metadata.note\nc-1,ok\nc-2," + "z" * 10_000_000 + "\nc-3,ok\n"
    ended = await shop1.imports("customers", text)
    assert (ended.job.counts.accepted, ended.rows) == (2, [3])
    assert "the customer's data would exceed" in ended.refused[0].reason
    assert ended.refused[0].raw == b""


async def test_a_zstd_file_and_an_id_that_a_spreadsheet_shortened(shop1: Shop) -> None:
    import zstandard

    text = b"source_id,name\n7.34625E+18,Ada\n7346244611012968789,Bo\n"
    ended = await shop1.imports("customers", zstandard.compress(text))
    assert (ended.job.counts.accepted, ended.rows) == (1, [2])
    assert "was shortened by a spreadsheet" in ended.refused[0].reason
    assert await shop1.store.customer("7346244611012968789") is not None


async def test_values_against_the_data_model_are_counted_or_refused(shop1: Shop) -> None:
    shop1.declare("traits:\n  level: number\n  joined: {type: date, misfit: quarantine}\n")
    rows = "source_id,level,joined\nc-1,5,2024-01-01\nc-2,high,2024-01-01\nc-3,1,soon\n"
    ended = await shop1.imports("customers", rows)
    assert (ended.job.counts.accepted, ended.job.counts.flagged, ended.rows) == (2, 1, [4])
    assert await shop1.traits("c-1") == {"level": 5, "joined": "2024-01-01"}


async def test_a_file_is_read_in_flat_memory(shop1: Shop) -> None:
    import tracemalloc

    line = encode({"id": "e", "name": "seen", "user": "c-1", "attributes": {"note": "n" * 200}})
    content = b"\n".join(line.replace(b'"e"', b'"e%d"' % n) for n in range(1_200))
    tracemalloc.start()
    await shop1.imports("events", content[: len(content) // 4].rpartition(b"\n")[0], size=100)
    _, first = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    await shop1.imports("events", content, size=100)
    _, second = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert second < first * 3
