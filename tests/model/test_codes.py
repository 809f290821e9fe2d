"""What a typed code means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import NotFound
from adapter.model.codes import folded, resolve
from adapter.rules.engine.codes import ALPHABET

#: What people and their programs make of WELC-K7RN-20I.
SPELLINGS = [
    "WELC-K7RN-20I",
    "welc-k7rn-20i",
    " WELC-K7RN-20I\n",
    "\u3000WELC-K7RN-20I\u00a0",
    "WELC K7RN 20I",
    "WELCK7RN20I",
    "WELC\u2010K7RN\u201120I",
    "WELC\u2013K7RN\u201420I",
    "WELC\u2212K7RN\u30fc20I",
    "ＷＥＬＣ－Ｋ７ＲＮ－２０Ｉ",
    "WE\u00adLC-K7\u200bRN-20I\ufeff",
    "welc-k7rn-20\u0131",
    "WELC-K7RN-20\u0130",
    "WELC-\u212a7RN-20I",
    "WELC-K7RN-\u0662\u06f0I",
    "WELC-K7RN-𝟮𝟬I",
]
DASHES_AND_BLANKS = st.lists(st.sampled_from(" -\u2010\u2013\u2014\u2212\u00a0\u3000\u200b"), max_size=3)
CODES = st.text("ABCXYZabcxyz0123456789._-", min_size=1, max_size=20)


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_code_means_the_same_however_it_is_typed(typed: str) -> None:
    assert resolve(typed, {"WELC-K7RN-20I": 1}) == 1


@pytest.mark.parametrize(
    "typed", ["WELC_K7RN_20I", "WELC.K7RN", "WELC-K7RN-2OI", "", " ", "-", "WELC-K7RN-20II"]
)
def test_a_differing_code_is_another_code(typed: str) -> None:
    assert resolve(typed, {"WELC-K7RN-20I": 1}) is None


@given(CODES, st.data())
def test_case_blanks_and_dashes_anywhere_change_nothing(code: str, data: st.DataObject) -> None:
    typed = "".join(
        "".join(data.draw(DASHES_AND_BLANKS)) + data.draw(st.sampled_from((str.lower, str.upper)))(character)
        for character in code
    )
    assert folded(typed) == folded(code)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_folded_as_all_text_is(code: str) -> None:
    assert folded(code + "\u200b") == folded(code)


def test_the_exact_spelling_wins_and_an_ambiguous_one_is_rejected() -> None:
    alike = {"SAVE-AB": 1, "SaveAB": 2}
    assert [resolve(code, alike) for code in ("SAVE-AB", "SaveAB", " SaveAB ")] == [1, 2, 2]
    with pytest.raises(NotFound):
        resolve("save-ab", alike)


def test_drawn_characters_cannot_be_confused() -> None:
    assert set(ALPHABET).isdisjoint("01OIL")
    assert len({folded(character) for character in ALPHABET}) == len(ALPHABET)
