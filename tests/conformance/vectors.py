"""Many recorded cases in one test, which fails with the name of every case that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")


def check_all(cases: Iterable[T], check: Callable[[T], None], named: Callable[[T], str]) -> None:
    """Run a check on every case; fail with each failing case's name and its reason."""
    tried, failed = 0, []
    for case in cases:
        tried += 1
        try:
            check(case)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever it is, the others are tried
            failed.append(f"{named(case)}: {error.__class__.__name__}: {error}")
    assert tried, "there are no cases"
    assert not failed, f"{len(failed)} of {tried} fail:\n\n" + "\n\n".join(failed)
