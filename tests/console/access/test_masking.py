"""What the role read does not see."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.console.masking import masked
from adapter.console.visitor import Visitor
from adapter.settings.values import Console, Role, Settings

SETTINGS = Settings(console=Console(mask=("email", "phone")))


def seen(value: Any, role: Role = "read") -> Any:
    return masked(value, Visitor("ann", role, ""), SETTINGS)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"email": "ann@shop.example"}, {"email": "***"}),
        ({"traits": [{"Phone": 4912345}]}, {"traits": [{"Phone": "***"}]}),
        ({"email": {"home": "ann@shop.example"}}, {"email": "***"}),
        ({"email": None}, {"email": None}),
        ({"path": "$.traits['email']", "value": "ann@x.io"}, {"path": "$.traits['email']", "value": "***"}),
        ({"name": "traits.email", "value": "a"}, {"name": "traits.email", "value": "***"}),
        ({"email": "ann@x.io", "reason": "no ann@x.io!"}, {"email": "***", "reason": "no ***!"}),
        ({"phone": "4912345", "reason": "4912345678"}, {"phone": "***", "reason": "4912345678"}),
        ({"emails": 3}, {"emails": 3}),
        (
            {"externalIds": [{"type": "email", "id": "a@x.io"}]},
            {"externalIds": [{"type": "email", "id": "***"}]},
        ),
        ({"phone": "Ann-4912345", "reason": "no ann-4912345"}, {"phone": "***", "reason": "no ***"}),
        ({"phone": "+4912345", "by": {"+4912345": 1}}, {"phone": "***", "by": {"***": 1}}),
        ({"reason": "`mail` is ann@x.io, not a name"}, {"reason": "`mail` is ***, not a name"}),
        ({"ids": ["ann@shop.example"]}, {"ids": ["***"]}),
        ({"phone": "issued", "status": "issued"}, {"phone": "***", "status": "issued"}),
        ({"phone": "2026", "at": "2026-11-21T12:00:00Z"}, {"phone": "***", "at": "2026-11-21T12:00:00Z"}),
    ],
)
def test_values_of_masked_names_are_hidden_wherever_they_stand(value: Any, shown: Any) -> None:
    assert seen(value) == shown


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


def test_what_is_nested_deeply_is_hidden_as_a_whole() -> None:
    shown = seen({"deep": nested(900, {"email": "ann@shop.example"}), "email": nested(900, "ann@x.io")})
    assert "ann" not in str(shown)
    assert shown["email"] == "***"


def test_a_document_of_many_values_and_a_long_text_takes_no_time_that_grows_with_both() -> None:
    phones = [f"49-{number:07}" for number in range(20_000)]
    text = "x-" * 200_000
    assert seen({"phone": phones, "texts": [text, phones[-1], phones[0]]}) == {
        "phone": "***", "texts": [text, "***", "***"],
    }  # fmt: skip


@pytest.mark.parametrize("role", ["operate", "admin"])
def test_other_roles_see_everything(role: Role) -> None:
    assert seen({"email": "ann@shop.example"}, role) == {"email": "ann@shop.example"}
