"""Values that have the declared type, and break what is asked of them beyond it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.datamodel.coerce import coercer
from adapter.datamodel.constraints import FORMATS, Constraints
from adapter.datamodel.declarations import DataModel, Declared, DeclaredEvent
from adapter.datamodel.misfits import subject
from adapter.datamodel.types import Type
from adapter.errors import MappingError
from adapter.model.events import Event, User
from adapter.model.operations import EventOccurred

TIER = Declared(Type("string"), constraints=Constraints(enum=("basic", "gold")))
TOTAL = Declared(Type("money"), constraints=Constraints(minimum=0, maximum=1000))
SKU = Declared(Type("string"), constraints=Constraints(pattern="^[A-Z]-[0-9]+$"))
TAGS = Declared(Type("string", many=True), constraints=Constraints(enum=("a", "b")))
FLAG = Declared(Type("any"), constraints=Constraints(enum=(1,)))
MAIL = Declared(Type("string"), constraints=Constraints(format="email"))
LINES = Declared(Type("object", many=True), of={"total": TOTAL})


def fit(declared: Declared, value: Any) -> tuple[Any, tuple[str, ...]]:
    """The value that is kept, and the misfits."""
    happened = datetime(2026, 1, 1, tzinfo=UTC)
    model = DataModel(events={"order": DeclaredEvent({"a": declared})})
    operation = EventOccurred("u", Event("e", "order", happened, User(id="u"), {"a": value}, {}))
    fitted: Any = coercer(model)(operation)
    return fitted.event.attributes.get("a"), fitted.misfits


@pytest.mark.parametrize(
    ("declared", "value", "kept"),
    [
        (TIER, "gold", "gold"),
        (TIER, None, None),
        (TOTAL, 0, 0),
        (TOTAL, "999.50", 999.5),
        (TOTAL, 12.5, 12.5),
        (SKU, "A-1", "A-1"),
        (TAGS, ["a", None, "b"], ["a", None, "b"]),
        (TAGS, '["a"]', ["a"]),
        (FLAG, 1, 1),
        (MAIL, "lena@example.org", "lena@example.org"),
        (LINES, [{"total": "5"}], [{"total": 5}]),
    ],
)
def test_a_value_within_its_constraints_is_kept_and_coerced(
    declared: Declared, value: Any, kept: Any
) -> None:
    assert fit(declared, value) == (kept, ())


@pytest.mark.parametrize(
    ("declared", "value", "wanted"),
    [
        (TIER, "Gold", "text, one of `basic`, `gold`"),
        (TOTAL, -1, "an amount of at most four decimals, at least 0, at most 1000"),
        (TOTAL, "1000.01", "an amount of at most four decimals, at least 0, at most 1000"),
        (SKU, "B-", "text, text that matches `^[A-Z]-[0-9]+$`"),
        (SKU, "\ud800", "text, text that matches `^[A-Z]-[0-9]+$`"),
        (TAGS, ["a", "c"], "an array of texts, each one of `a`, `b`"),
        (FLAG, True, "anything, one of `1`"),
        (MAIL, "lena@", "text, of the format email"),
    ],
)
def test_a_value_that_breaks_a_constraint_is_a_misfit_and_kept(
    declared: Declared, value: Any, wanted: str
) -> None:
    kept, [misfit] = fit(declared, value)
    assert kept == value
    assert misfit.startswith("the attribute `a` of `order` is ")
    assert misfit.endswith(f", but must be {wanted}")


def test_a_member_of_an_object_has_constraints_too() -> None:
    _, [misfit] = fit(LINES, [{"total": 5}, {"total": 1001}])
    assert misfit.startswith("the attribute `total` of `a` of `order` is a number, but must be ")


def test_a_constraint_of_a_value_that_must_fit_quarantines_the_message() -> None:
    with pytest.raises(MappingError, match="but must be text, one of `basic`, `gold`"):
        fit(Declared(TIER.type, misfit="quarantine", constraints=TIER.constraints), "none")


GOOD = {
    "email": "a.b@shop.example.org",
    "hostname": "shop.example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "09:30:12Z",
    "uri": "https://shop.example/a?b=c",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}
BAD = {
    "email": "a@b@shop.example",
    "hostname": "-shop.example",
    "ipv4": "192.0.2.256",
    "ipv6": "192.0.2.1",
    "time": "24:30",
    "uri": "shop.example",
    "uuid": "123e4567e89b12d3a456426614174000",
}


def test_formats_tell_good_from_bad() -> None:
    assert {name: test(GOOD[name]) for name, test in FORMATS.items()} == dict.fromkeys(FORMATS, True)
    assert {name: test(BAD[name]) for name, test in FORMATS.items()} == dict.fromkeys(FORMATS, False)


@pytest.mark.parametrize(
    ("misfit", "wanted"),
    [
        ("the attribute `total` of `order` is text, but must be a number", "total"),
        ("the attribute `qty` of `items` of `order` is missing", "items.qty"),
        ("the trait `order` is a list, but must be text", "order"),
        ("the attribute `city` of `home` is null, but must be text", "home.city"),
        ("the context `locale` is a number, but must be text", "locale"),
        ("`timestamp` is text that cannot be read as a time; `receivedAt` is used", "timestamp"),
        ("the attribute `made up` of `order` is not in the data model", ""),
        ("the event `order` is not in the data model", ""),
        ("the attribute `a` of `order` is text, but must be text, one of `the trait `x` is`", "a"),
        ("something else", ""),
    ],
)
def test_a_misfit_is_counted_under_the_declared_name_that_it_is_about(misfit: str, wanted: str) -> None:
    assert subject(misfit, "order") == wanted
