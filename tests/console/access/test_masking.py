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
        ({"email": "ann@x.io", "reason": "joann@x.io"}, {"email": "***", "reason": "joann@x.io"}),
        ({"emails": 3}, {"emails": 3}),
    ],
)
def test_values_of_masked_names_are_hidden_wherever_they_stand(value: Any, shown: Any) -> None:
    assert seen(value) == shown


@pytest.mark.parametrize("role", ["operate", "admin"])
def test_other_roles_see_everything(role: Role) -> None:
    assert seen({"email": "ann@shop.example"}, role) == {"email": "ann@shop.example"}
