"""Pricing alone: one order of 5 and of 200 lines with five codes, and the search for the best of ten codes.

Orders of 200 lines take turns with orders of 5 lines, so that both meet the same machine. The medians of the
rounds are reported, in microseconds of processor time for one order. Reading the order is measured apart.

    .venv/bin/python -m benchmarks.pricing                  nine rounds
    .venv/bin/python -m benchmarks.pricing --rounds 3

Aim: 200 lines cost at most 20 times 5 lines.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from adapter.pricing import Order, Terms, price, read_order, read_terms

#: An order is priced so often for one figure; 200 lines a tenth as often.
OFTEN = 400
ACTIONS: dict[str, dict[str, Any]] = {
    "SHOES10": {"type": "percentage_off", "value": 10, "applies_to": {"items": "shoes"}},
    "ORDER5": {"type": "percentage_off", "value": 5, "max_amount": 40, "min_cart_value": 20},
    "EIGHT": {"type": "amount_off", "value": 8},
    "SHIP": {"type": "free_shipping", "service_levels": ["standard"]},
    "CREDIT": {"type": "store_credit", "value": 25},
}


def main() -> None:
    rounds = _arguments().rounds
    few, many = _document(5), _document(200)
    runs: dict[str, tuple[Callable[[], Any], int]] = {
        "us_price_5_lines": (_priced(read_order(few)), OFTEN),
        "us_price_200_lines": (_priced(read_order(many)), OFTEN // 10),
        "us_read_5_lines": (lambda: read_order(few), OFTEN),
        "us_read_200_lines": (lambda: read_order(many), OFTEN // 10),
        "us_best_of_10_codes_5_lines": (_best(read_order(few)), 4),
        "us_best_of_10_codes_200_lines": (_best(read_order(many)), 1),
    }
    figures = _measured(runs, rounds)
    for name, figure in figures.items():
        print(f"{name:32} {figure:12,.1f}")
    print(json.dumps(figures))


def costs_of_orders(rounds: int) -> dict[str, float]:
    """Return what pricing an order of 5 lines and one of 200 costs, in microseconds, and their ratio."""
    few, many = (_priced(read_order(_document(lines))) for lines in (5, 200))
    runs = {"us_price_5_lines": (few, OFTEN), "us_price_200_lines": (many, OFTEN // 10)}
    return _measured(runs, rounds)


def _measured(runs: dict[str, tuple[Callable[[], Any], int]], rounds: int) -> dict[str, float]:
    measured: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (run, times) in runs.items():
            measured[name].append(_microseconds(run, times))
    figures = {name: round(statistics.median(found), 1) for name, found in measured.items()}
    pairs = zip(measured["us_price_200_lines"], measured["us_price_5_lines"], strict=True)
    figures["price_200_over_5"] = round(statistics.median(many / few for many, few in pairs), 1)
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


def _document(lines: int) -> dict[str, Any]:
    """An order in which a third of the lines are shoes, and prices end in any cent."""
    return {
        "currency": "EUR",
        "lines": [
            {
                "id": f"L{at}",
                "sku": f"S{at % 70}",
                "quantity": 1 + at % 3,
                "unit_price": f"{3 + at * 7 % 90}.{at * 37 % 100:02}",
                "category": ("shoes", "hats", "socks")[at % 3],
            }
            for at in range(lines)
        ],
        "shipping": [{"id": "parcel", "service_level": "standard", "country": "DE", "price": "4.95"}],
    }


def _terms(code: str, action: dict[str, Any]) -> Terms:
    return read_terms(code, action, lambda wanted: lambda item: item.get("category") == wanted)


def _priced(order: Order) -> Callable[[], Any]:
    terms = [_terms(code, action) for code, action in ACTIONS.items()]
    assert price(order, terms).refusal is None
    return lambda: price(order, terms)


def _best(order: Order) -> Callable[[], Any]:
    """Return the search among ten codes that may all be used together: no set is left out."""
    terms = [replace(_terms(f"C{at}", ACTIONS["SHOES10"]), priority=at) for at in range(10)]
    return lambda: price(order, terms, mode="best")


def _microseconds(run: Callable[[], Any], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times * 1e6


if __name__ == "__main__":
    main()
