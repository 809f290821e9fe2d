"""Email addresses: one spelling for each, found and removed anywhere in a text."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.emails import ERASED, found_in, may_hold, normal, without

ANN = "ann.lee@example.org"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Ann.Lee@Example.ORG", ANN), (" ann.lee@example.org\t", ANN), ("ann.lee@example.org.", ANN),
        ("mailto:Ann.Lee@example.org", ANN), ("ann.lee\uff20example.org", ANN),
        ("\uff41nn.lee@\uff45xample.org", ANN), ("ann.lee@example\u3002org", ANN),
        ("JOSE\u0301@x.test", "josé@x.test"), ("José@x.test", "josé@x.test"),
        ("STRASSE@x.test", "strasse@x.test"), ("straße@x.test", "strasse@x.test"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("a@xn--bcher-kva.example", "a@bücher.example"), ("a@XN--BCHER-KVA.example", "a@bücher.example"),
        ("a@strasse.de", "a@strasse.de"), ("a@straße.de", "a@straße.de"),
        ("a@xn--strae-oqa.de", "a@straße.de"),
        ("a@xn--.de", "a@xn--.de"), ("ann+shop@x.test", "ann+shop@x.test"), ("ann", None), ("@x.test", None),
        ("ann@", None), ("ann lee@x.test", None), ("", None), ("a@\u0301", "a@\u0301"),
    ],
)  # fmt: skip
def test_an_address_has_one_spelling(written: str, meant: str | None) -> None:
    assert normal(written) == meant
    assert meant is None or normal(meant) == meant


#: Ways in which a text holds an address; `{}` is as it is written, `%` percent-encoded.
PLACES = [
    "{}", "Ann Lee <{}>", "to:{};cc:x@y.test", "Write to {}. Thanks", "mailto:{}?subject=x", "'{}'", "({})",
    "https://x.test/?email={}&b=1", "https://x.test/u/{}/orders", "a={}#b",
    '{"email":"{}"}', "user={}!", "x@y.test,{}",
    "https://x.test/?email=ann%2Elee@example.org", "\\\\u003c{}", "&#60;{}&#x3E;", "https://x.test/?email=%&b=1",
    "https://x.test/?next=%2F%3Femail%3D{%}", "\\u0022{}\\u0022",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("written", [ANN, "ANN.Lee@Example.org", "ann.lee\uff20example.org"])
def test_an_address_is_found_and_removed_anywhere(place: str, written: str) -> None:
    encoded = quote(written, safe="")
    text = place.replace("{%}", quote(encoded, safe="")).replace("{}", written)
    text = text.replace("=%&", f"={encoded}&")
    assert ANN in found_in(text)
    assert may_hold(json.dumps(text, ensure_ascii=False).encode())
    cleaned = without(text, ANN)
    assert ANN not in found_in(cleaned)
    assert ERASED in cleaned
    assert found_in(cleaned) == found_in(text) & found_in(cleaned)


@pytest.mark.parametrize(
    "other",
    ["xann.lee@example.org", "ann.lee@example.org.uk", "ann.lee@example.orgs", "lee@example.org",
     "ann.lee@example", "x.ann.lee@example.org", "ann.lee@sub.example.org", "ann-ann.lee@example.org",
     "ann.lee@examp1e.org"],
)  # fmt: skip
def test_another_address_does_not_match(other: str) -> None:
    assert ANN not in found_in(f"<{other}>")
    assert without(f"to {other}", ANN) == f"to {other}"


def test_text_around_an_address_is_kept() -> None:
    text = f"https://x.test/a?email={quote(ANN)}&ref=b@y.test see {ANN.upper()}, and c@y.test"
    assert without(text, ANN) == f"https://x.test/a?email={ERASED}&ref=b@y.test see {ERASED}, and c@y.test"


@given(st.text(), st.text())
def test_any_text_is_looked_into_and_loses_the_address(before: str, after: str) -> None:
    text = f"{before} {ANN} {after}"
    assert ANN in found_in(text)
    assert ANN not in found_in(without(text, ANN))


@given(st.emails())
def test_the_spelling_of_an_address_is_found_by_itself(email: str) -> None:
    meant = normal(email)
    assert meant is not None
    assert meant in found_in(f"<{email}>")


_PIECES = [
    "a",
    "B1",
    ".",
    "-",
    "--",
    "_",
    "+",
    "@",
    "@x.test",
    "xn--",
    "Xn--bcher-kva",
    '"',
    "'",
    "/",
    "%40",
    " ",
    "é",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=8).map("".join) | st.emails())
def test_an_address_that_is_a_whole_json_string_is_found_as_in_any_text(text: str) -> None:
    assert found_in(f'"{text}"') == found_in(f"<{text}>")


@pytest.mark.parametrize(
    "text",
    ["a" * 300_000, "@" * 300_000, "a@" * 100_000, "%40" * 100_000, "=a" * 99_999 + "@b",
     "&#" + "9" * 300_000, "\\" * 300_000 + "u0040", "%" + "25" * 150_000 + "40",
     "&#x" + "f" * 300_000 + "&#1114112;", "\\ud800" * 50_000],
)  # fmt: skip
def test_a_long_text_costs_in_proportion_to_its_length(text: str) -> None:
    assert len(found_in(text)) <= 70
