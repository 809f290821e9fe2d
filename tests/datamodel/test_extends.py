"""A data model that extends a starter's: its own declarations win, at their own places."""

from __future__ import annotations

from pathlib import Path

from adapter.datamodel import load as reading


def test_own_declarations_join_and_replace_those_of_the_starter(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(
        "extends: [adapter/starter@1, adapter/travel@1]\n"
        "unknown: quarantine\n"
        "traits: {first_name: {type: string, required: true}, shoe_size: number}\n"
        "events:\n"
        "  checkout_started: {attributes: {cart_value: number, gift: boolean}}\n"
    )
    model, problems = reading.load(tmp_path)
    assert model is not None, [str(problem) for problem in problems]
    assert model.unknown == "quarantine"
    assert model.traits["first_name"].required
    assert {"shoe_size", "last_name", "traveler_status"} < model.traits.keys()
    attributes = model.events["checkout_started"].attributes
    assert str(attributes["cart_value"].type) == "number"
    assert {"gift", "coupon_used"} < attributes.keys()
    assert "destination_search" in model.events


def test_a_mistake_is_reported_in_the_file_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("extends: adapter/starter@1\ntraits:\n  first_name: strng\n")
    model, [problem] = reading.load(tmp_path)
    assert model is None
    assert str(problem).startswith(
        f"{tmp_path}/model.yaml:3:15: `strng` is not a type; did you mean `string`?"
    )
