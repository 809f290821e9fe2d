"""Files, readiness, store and destinations: what they are now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from adapter.cli.diagnosis.finding import Finding, failure, ok, skipped, warning
from adapter.cli.diagnosis.web import Answer
from adapter.files.problems import Problem
from adapter.services.delivery.retries import Pushed
from adapter.services.delivery.shown import Rest
from adapter.store.migrations import Schema

_FULL_PAGE = 100


def files(problems: Sequence[Problem]) -> Iterator[Finding]:
    """Yield what `adapter check` says, the first problem in full."""
    check = "files"
    errors = [each for each in problems if each.severity == "error"]
    if not problems:
        yield ok(check, "settings, mappings and rules are in order")
        return
    shown = str((errors or problems)[0])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    kind = failure if errors else warning
    yield kind(check, shown + more, "run `adapter check`")


def readiness(ready: Answer) -> Iterator[Finding]:
    """Yield what the server says of itself at `GET /health/ready`."""
    check, value = "server", ready.value
    checks = value.get("checks")
    if not isinstance(checks, list):
        if ready.status:
            detail = f"GET /health/ready is answered {ready.status} by something else"
            yield failure(check, detail, "see the line `address`")
        return
    failing = [each for each in checks if isinstance(each, dict) and not each.get("ok")]
    for each in failing:
        kind = warning if value.get("ready") else failure
        yield kind(f"server: {each.get('name')}", str(each.get("detail")), "see docs/faults.md")
    if not failing:
        yield ok(check, "it is ready, and uses the files that are on its disk")


def schema(url: str, found: Schema, other: str) -> Iterator[Finding]:
    """Yield the state of a store's schema; `other` says what to do where it is not the current one."""
    if found.applied == found.latest:
        yield ok("store", f"{url}, schema {found.applied}")
    elif found.usable and found.applied > found.latest:
        yield warning("store", f"{url} has schema {found.applied}, newer than this program's",
                      "update this program")  # fmt: skip
    else:
        yield failure("store", other, "run `adapter store migrate`, or see store.url")


def soundness(wrong: Sequence[str] | None, why: str = "") -> Iterator[Finding]:
    """Yield what `adapter store check` says; None where it did not run, and `why`."""
    check = "store contents"
    if wrong is None:
        yield skipped(check, why)
    elif wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield failure(
            check, wrong[0] + more, "run `adapter store check`, and restore a backup: docs/backup.md"
        )
    else:
        yield ok(check, "sound")


def destinations(
    names: Collection[str], resting: Sequence[Rest], dead: Sequence[str], now: datetime
) -> Iterator[Finding]:
    """Yield for each destination whether it is sent to; `dead` has a name for each delivery given up."""
    for name in sorted({*names, *dead, *(each.destination for each in resting)}):
        check = f"destination {name}"
        rests = [each for each in resting if each.destination == name]
        count = sum(each == name for each in dead)
        for rest in rests:
            state = "paused" if rest.kind == "pause" else "failing, and its circuit breaker is not closed"
            yield warning(check, f"{state}, until {rest.until:%Y-%m-%d %H:%M} UTC: {rest.reason}",
                          f"correct the cause, then run `adapter deliveries resume {name}`")  # fmt: skip
        if count:
            more = " or more" if len(dead) >= _FULL_PAGE else ""
            yield warning(check, f"{count}{more} deliveries were given up",
                          "see `adapter deliveries --dead`, then `adapter deliveries retry`")  # fmt: skip
        if not rests and not count:
            yield ok(check, "nothing is paused or given up" if name in names else "not in the settings")
    if not names:
        yield skipped("destinations", "the settings have none")


def pushed(name: str, found: Pushed | str) -> Finding:
    """Return what a destination answered to a test push; a text says why there was none."""
    check = f"destination {name} tried"
    if isinstance(found, str):
        return skipped(check, found)
    if found.ok:
        return ok(check, f"accepted, it answered {found.status}")
    return failure(check, found.error or f"it answered {found.status}",
                   f"see `adapter deliveries test {name}`, its address and its secrets")  # fmt: skip
