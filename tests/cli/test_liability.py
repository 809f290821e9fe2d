"""`adapter liability`, on both engines."""

from __future__ import annotations

import json

from tests.cli.test_revoke import Shop, shop

__all__ = ["shop"]


def test_figures_are_printed_by_rule_and_currency(shop: Shop) -> None:
    found = json.loads(shop.run("--json", command="liability", rule=None).stdout)
    [gift] = found
    [total] = gift["totals"]
    assert (gift["rule"], total["issued"], total["open"], total["liability"]) == ("gift", 3, 3, "15.00")
    assert json.loads(shop.run("--json", command="liability").stdout) == found
    assert shop.run(command="liability").stdout.startswith("gift\n")


def test_an_unknown_rule_has_no_figures(shop: Shop) -> None:
    assert shop.run(command="liability", rule="gifts").exit_code == 1
