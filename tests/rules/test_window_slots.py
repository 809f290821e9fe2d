"""A limit over any window holds, by the claims that rules make, however its holders turn out to be one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.counter_key import CounterKey
from adapter.model.rules import Guardrails
from adapter.rules.engine.select import fitting
from adapter.rules.guardrails.counters import claims
from adapter.rules.guardrails.window_slots import merged

WINDOW = 100
STEPS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 2)), min_size=2, max_size=12)


def issued(counters: dict[CounterKey, int], now: int, rails: Guardrails) -> bool:
    """Issue at a second, where the counters of one customer allow it."""
    moment = datetime.fromtimestamp(now, UTC)
    wanted = claims("treat", rails, source_id="u", device_id=None, now=moment, cost=None)
    found = fitting(wanted, {("u", key): used for key, used in counters.items()})
    if not isinstance(found, list):
        return False
    for claim in found:
        counters[claim.key] = counters.get(claim.key, 0) + claim.amount
    return True


@pytest.mark.slow
@given(st.integers(1, 3), st.integers(0, WINDOW), STEPS, st.booleans())
def test_three_merged_customers_never_exceed_the_limit_and_receive_more_later(
    count: int, begin: int, steps: list[tuple[int, int]], together: bool
) -> None:
    rails = Guardrails(per_user_limit=count, per_user_window=timedelta(seconds=WINDOW))
    people: list[dict[CounterKey, int]] = [{}, {}, {}]
    now, at = 1_000_000 + begin, []
    for later, who in steps:
        now += later
        if issued(people[who], now, rails):
            at.append(now)
    joined, *others = people
    for newcomers in [others] if together else [[other] for other in others]:
        more = merged([joined, *newcomers], now).more
        for counters in (*newcomers, more):
            for key, used in counters.items():
                joined[key] = joined.get(key, 0) + used
    joined_at = now
    while now < joined_at + 3 * WINDOW:
        now += 1
        if issued(joined, now, rails):
            at.append(now)
            assert sum(now - WINDOW < each for each in at) <= count
    assert at[-1] > joined_at + WINDOW
