"""Operations fitted to a model."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.datamodel.coerce import coercer
from adapter.datamodel.declarations import DataModel, Declared, DeclaredEvent, Policy, UnknownPolicy
from adapter.datamodel.types import Type
from adapter.errors import MappingError
from adapter.model.events import Event, User
from adapter.model.operations import CustomerErase, CustomerUpsert, EventOccurred

NUMBER = Type("number")


def event(
    attributes: dict[str, Any], name: str = "order", context: dict[str, Any] | None = None
) -> EventOccurred:
    happened = datetime(2026, 1, 1, tzinfo=UTC)
    return EventOccurred("u", Event("e", name, happened, User(id="u"), attributes, context or {}))


def model(unknown: UnknownPolicy = "allow", misfit: Policy = "keep", *, required: bool = False) -> DataModel:
    total = Declared(NUMBER, required=required, misfit=misfit)
    events = {"order": DeclaredEvent({"total": total, "code": Declared(Type("string"))})}
    return DataModel({"points": total}, events, {"step": total}, unknown, misfit)


def fit(operation: Any, declared: DataModel) -> Any:
    return coercer(declared)(operation)


def test_a_valid_operation_is_returned_unchanged() -> None:
    for operation in (
        event({"total": 5, "code": None}),
        CustomerUpsert("u", traits={"points": 5}),
        CustomerErase("u"),
    ):
        assert fit(operation, model()) is operation


def test_safe_values_of_another_type_are_coerced_and_the_document_stays() -> None:
    attributes: dict[str, Any] = {"total": "5.50", "code": 7, "more": [1]}
    found = fit(event(attributes, context={"step": "2"}), model())
    assert found.event.attributes == {"total": 5.5, "code": "7", "more": [1]}
    assert found.event.context == {"step": 2}
    assert found.misfits == ()
    assert attributes == {"total": "5.50", "code": 7, "more": [1]}


def test_a_schema_violation_is_kept_and_flagged_without_its_value() -> None:
    found = fit(event({"total": "a lot", "code": "x"}), model())
    assert found.event.attributes == {"total": "a lot", "code": "x"}
    assert found.misfits == ("the attribute `total` of `order` is text, but must be a number",)


ITEMS = Declared(Type("object", many=True), of={"price": Declared(Type("money")), "qty": Declared(NUMBER)})
ORDER = DataModel(events={"order_completed": DeclaredEvent({"items": ITEMS}), "order": DeclaredEvent()})


def test_members_of_the_objects_in_a_list_are_coerced_and_flagged_once() -> None:
    items = [{"price": "$5.50", "qty": "2", "x": 1}, {"price": "a lot"}, {"price": "more"}, None, {}]
    found = fit(event({"items": items}, "order_completed"), ORDER)
    assert found.event.attributes["items"] == [{"price": 5.5, "qty": 2, "x": 1}, *items[1:]]
    [misfit] = found.misfits
    assert misfit.startswith("the attribute `price` of `items` of `order_completed` is text")
    assert items[0] == {"price": "$5.50", "qty": "2", "x": 1}
    fitting_items = event({"items": [{"price": 5}]}, "order_completed")
    assert fit(fitting_items, ORDER) is fitting_items
    assert fit(event({"items": "none"}, "order_completed"), ORDER).misfits != ()


@pytest.mark.parametrize("name", ["ordercompleted", "order_com_pleted", "ORDERCOMPLETED"])
def test_an_event_in_another_spelling_takes_the_declared_name(name: str) -> None:
    assert fit(event({}, name), ORDER).event.name == "order_completed"


def test_an_event_keeps_its_name_where_two_declared_ones_have_its_spelling() -> None:
    two = DataModel(events={"sign_up": DeclaredEvent(), "signup": DeclaredEvent()})
    assert [fit(event({}, name), two).event.name for name in ("sign_up", "signup", "si_gnup")] == [
        "sign_up", "signup", "si_gnup",
    ]  # fmt: skip


@pytest.mark.parametrize("sent", ["", "  "])
def test_a_blank_currency_is_as_if_it_were_not_given(sent: str) -> None:
    currency = Declared(Type("currency"))
    declared = DataModel({"currency": currency}, {"order": DeclaredEvent({"currency": currency})})
    assert fit(event({"currency": sent, "x": 1}), declared).event.attributes == {"x": 1}
    assert fit(CustomerUpsert("u", traits={"currency": sent}), declared).traits == {}
    needed = DataModel(
        events={"order": DeclaredEvent({"currency": Declared(Type("currency"), required=True)})}
    )
    assert fit(event({"currency": sent}), needed).misfits == (
        "the attribute `currency` of `order` is missing",
    )


def test_a_traits_misfit_is_flagged_too() -> None:
    found = fit(CustomerUpsert("u", traits={"points": [1]}), model())
    assert found.traits == {"points": [1]}
    assert found.misfits == ("the trait `points` is a list, but must be a number",)


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (event({"total": "a lot"}), "the attribute `total` of `order` is text, but must be a number"),
        (event({"total": None}), "the attribute `total` of `order` is null, but must be a number"),
        (event({}), "the attribute `total` of `order` is missing"),
        (event({"total": 1, "x": 1}), "the attribute `x` of `order` is not in the data model"),
        (event({}, "ordr"), "the event `ordr` is not in the data model"),
        (CustomerUpsert("u", traits={"points": None}), "the trait `points` is null, but must be a number"),
        (CustomerUpsert("u", traits={"x": 1}), "the trait `x` is not in the data model"),
    ],
)  # fmt: skip
def test_a_violation_is_an_error_under_quarantine_and_a_flag_under_keep(operation: Any, says: str) -> None:
    with pytest.raises(MappingError) as refused:
        fit(operation, model("quarantine", "quarantine", required=True))
    assert refused.value.message == says
    assert fit(operation, model("keep", "keep", required=True)).misfits == (says,)


def test_undeclared_names_are_allowed_silently_unless_the_model_forbids_them() -> None:
    for operation in (event({"x": 1}), event({}, "other"), CustomerUpsert("u", traits={"x": 1})):
        assert fit(operation, model("allow")) is operation


def test_context_that_is_not_declared_is_never_flagged() -> None:
    operation = event({"total": 1}, context={"library": {"name": "x"}})
    assert fit(operation, model("quarantine", "quarantine")) is operation


def test_schema_violations_are_bounded_in_number_and_length() -> None:
    found = fit(event({f"{'x' * 1000}{at}": 1 for at in range(100)}), model("keep"))
    assert len(found.misfits) == 20
    assert max(map(len, found.misfits)) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KINDS = [
    Type(name, many)
    for name in ("string", "number", "boolean", "date", "datetime", "money", "object")
    for many in (False, True)
]


@given(st.dictionaries(st.sampled_from([str(kind) for kind in KINDS] + ["other"]), JSON))
def test_nothing_is_ever_dropped_and_nothing_given_is_changed(attributes: dict[str, Any]) -> None:
    declared = DataModel(
        events={"order": DeclaredEvent({str(kind): Declared(kind) for kind in KINDS})}, unknown="keep"
    )
    before = copy.deepcopy(attributes)
    found = fit(event(attributes), declared)
    assert list(found.event.attributes) == list(attributes)
    assert repr(attributes) == repr(before)
    for name, value in found.event.attributes.items():
        flagged = any(f"`{name}`" in flag for flag in found.misfits)
        assert flagged or value is None or name != "number" or isinstance(value, int | float)
