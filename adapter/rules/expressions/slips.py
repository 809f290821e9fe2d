"""What people write of other languages and programs, and what to write here."""

from __future__ import annotations

from typing import Final

_DAY_OF_WEEK = '`now.getDayOfWeek("Europe/Berlin") in [0, 6]` for Saturday and Sunday'
_TODAY = '`now`; its parts are `now.getMonth("Europe/Berlin")` and `now.getDate("Europe/Berlin")`'
_BIRTHDAY = (
    '`user.birthday.substring(5) == "12-24"` for a day, or for its month'
    ' `timestamp(user.birthday + "T00:00:00Z").getMonth() == now.getMonth("Europe/Berlin")`'
)

#: Functions that do not exist, by what to write; figures of the past are those of `history`.
FUNCTIONS: Final = {
    **{
        name: f'write `history.{name}("order_completed")`'
        for name in ("days_since", "first", "last", "streak", "avg")
    },
    "sequence": 'write `history.sequence("products_searched", "product_viewed", "1h")`',
    "count": 'write `history.count("order_completed", "30d")` for past events, `size(items)` for a list',
    "today": f"write {_TODAY}",
    "date": 'write `timestamp("2026-12-24T00:00:00Z")`',
    "where": 'write the condition inside: `history.count("order_completed", order, order.total > 50)`',
    "is_weekend": f"write {_DAY_OF_WEEK}",
    "weekday": f"write {_DAY_OF_WEEK}",
    "lower": "write `.lowerAscii()`",
    "upper": "write `.upperAscii()`",
    "round": "write `math.round(…)`",
    "abs": "write `math.abs(…)`",
    "floor": "write `math.floor(…)`",
    "ceil": "write `math.ceil(…)`",
}
#: Names that are often meant to exist.
NAMES: Final = {
    "today": f"write {_TODAY}; for a birthday {_BIRTHDAY}",
    "weekend": f"write {_DAY_OF_WEEK}",
    "date": f"write {_TODAY}",
    "time": f"write {_TODAY}",
    "weekday": f"write {_DAY_OF_WEEK}",
}
#: Words between two values that are no operators.
OPERATORS: Final = {
    "contains": 'write `"sale" in tags` for a list, or `note.contains("gift")` for text',
    "like": 'write `email.endsWith("@example.com")`, or `.matches("…")`',
    "between": "write `price >= 10 && price <= 20`",
    "equals": "write `==`",
    "starts_with": 'write `code.startsWith("VIP-")`',
    "ends_with": 'write `code.endsWith("7")`',
}
