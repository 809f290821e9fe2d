"""Amounts as people and programs write them: the one that a text can mean, or none."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.amounts import read_amount, without_noise

READ = [
    ("145.75", 145.75), (" 12 ", 12), ("-3", -3), ("$145.75", 145.75), ("1,299.00", 1299),
    ("1.299,00 €", 1299),
    ("1 299,00", 1299), ("1\u00a0299,00\u00a0€", 1299), ("CHF 1'299.-", 1299), ("CHF 1’299.50", 1299.5),
    ("-US$ 5", -5), ("$-5.00", -5), ("−5,00 €", -5), ("1,299,000", 1299000), ("1.299.000", 1299000),
    ("145,75", 145.75), ("0,299", 0.299), ("1,00,000.50", 100000.5), ("12 kr", 12), ("12,50 zł", 12.5),
    ("R$ 1.299,90", 1299.9), ("Rs. 500", 500), ("￥1200", 1200), ("１２３", 123), ("USD 145.75", 145.75),
    ("145.75USD", 145.75), ("$145.75 USD", 145.75), ("$.50", 0.5), ("1.299", 1.299),
    ("$1,299", 1299), ("$1,29", 1.29), ("1,299 USD", 1299), ("₹1,299", 1299), ("US$12,299", 12299),
    ("22.8600006103516", 22.86), ("0.12345", 0.12345), ("19,99 eur", 19.99),
]  # fmt: skip
NOT = [
    "", "-", "$", "free", "N/A", "1,299", "1.299 €", "1,299 €", "$1.299", "KWD 1,299", "all 5",
    "max 50", "12 pcs", "5 off", "12 34", "1,29.00", "1,2999.00", "1.299.00",
    "1,299,00", "1.2.3", "--5", "-$-5", "145.75/month", "from 5", "0x1f", "1e3", "5 or 6", "12:30", "50%",
    "١٢٣ or 5", "1" * 300, "1,234 567", "()", "., ", "€€5",
]  # fmt: skip


@pytest.mark.parametrize(("text", "amount"), READ, ids=repr)
def test_an_amount_is_read_where_it_can_mean_one_only(text: str, amount: float) -> None:
    assert read_amount(text) == amount


@pytest.mark.parametrize("text", NOT, ids=lambda text: repr(text)[:30])
def test_other_text_is_no_amount(text: str) -> None:
    assert read_amount(text) is None


@given(
    st.decimals(0, 10**9, places=2), st.sampled_from([",.", ".,", " ,", "'."]),
    st.sampled_from(["$", "€", "", "EUR "]), st.sampled_from(["", " €", " USD", " kr"]),
)  # fmt: skip
def test_an_amount_with_thousands_is_read_in_every_notation(
    amount: Decimal, marks: str, before: str, after: str
) -> None:
    written = f"{amount:,.2f}".translate(str.maketrans(",.", marks))
    assert read_amount(f"{before}{written}{after}") == float(amount)


@given(st.decimals(-65_536, 65_536, places=2))  # beyond, single precision has no hundredths
def test_the_noise_of_single_precision_is_removed(amount: Decimal) -> None:
    (single,) = struct.unpack("f", struct.pack("f", float(amount)))
    for sent in (single, float(f"{single:.15g}")):
        assert without_noise(sent) == float(amount)


@given(st.decimals(-(10**11), 10**11, places=4))
def test_an_amount_of_four_decimals_stays_as_it_is(amount: Decimal) -> None:
    assert without_noise(float(amount)) == float(amount)


@given(st.text(max_size=40) | st.from_regex(r"[$€]? ?[0-9., ']{1,12} ?[A-Z€]{0,3}"))
def test_any_text_gives_an_amount_or_none(text: str) -> None:
    found = read_amount(text)
    assert found is None or isinstance(found, int | float)
