"""What `adapter send` tells of the answers: one by one where they are few, and the totals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import typer

from adapter.cli.sender import Answer, Totals
from adapter.model.encoding import encode

#: Answers to so many messages are shown one by one.
SHOWN = 20


class SendReport:
    """Tells answers one by one where they are few, and the totals at the end."""

    def __init__(self, *, as_json: bool, total: int) -> None:
        self._as_json = as_json
        self._each = total <= SHOWN
        self._kept: list[dict[str, Any]] = []
        self._done = 0
        self._progress = sys.stderr.isatty() and not self._each

    def answer(self, answer: Answer) -> None:
        """Tell an answer, or count it."""
        self._done += answer.request.items
        if self._progress and self._done % 100 == 0:
            typer.echo(f"\r{self._done} sent", nl=False, err=True)
        if not self._each:
            return
        if self._as_json:
            self._kept.append({"status": answer.status, "answer": _plain(answer)})
        else:
            typer.echo("\n".join(_lines(answer)))

    def end(self, totals: Totals, url: str) -> None:
        """Tell the totals."""
        if self._progress:
            typer.echo(err=True)
        if self._as_json:
            typer.echo(encode({"to": url, **_totals(totals), "answers": self._kept}))
        elif totals.statuses.keys() == {0}:
            typer.echo(
                f"adapter: no server answers at {url}; start one with `adapter serve`, or name it with --to",
                err=True,
            )
        elif not self._each:
            typer.echo(_summary(totals))


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "sent": totals.items,
        "statuses": {str(status): count for status, count in sorted(totals.statuses.items())},
        "seconds": round(totals.lasted, 3),
        "p50_ms": round(totals.percentile(0.5) * 1000, 1),
        "p99_ms": round(totals.percentile(0.99) * 1000, 1),
    }


def _summary(totals: Totals) -> str:
    counts = ", ".join(
        f"{count} x {status or 'no answer'}" for status, count in sorted(totals.statuses.items())
    )
    rate = totals.items / totals.lasted if totals.lasted else 0
    times = " and ".join(
        f"p{int(share * 100)} {totals.percentile(share) * 1000:.1f} ms" for share in (0.5, 0.99)
    )
    return f"{totals.items} messages in {totals.lasted:.1f} s ({rate:.0f} a second): {counts}; {times}"


def _lines(answer: Answer) -> Iterator[str]:
    """Yield what one answer says, a line for each result."""
    plain = _plain(answer)
    if answer.status == 0:
        yield f"no answer: {plain}"
        return
    results = plain.get("results") if isinstance(plain, dict) else None
    if not isinstance(results, list):
        yield f"{answer.status} {answer.body.decode(errors='replace')[:500]}"
        return
    for result in results:
        said = f"{answer.status} {result.get('message_id', '')}: {result.get('outcome')}"
        yield said + (f" ({result['reason']})" if result.get("reason") else "")
        for discount in result.get("discounts", ()):
            yield f"    {discount.get('code')} {_given(discount)}"
        if result.get("outcome") == "processed" and not result.get("discounts"):
            yield "    no discount; `adapter explain CUSTOMER` says why"


def _given(discount: dict[str, Any]) -> str:
    action = discount.get("action") or {}
    rule = (discount.get("metadata") or {}).get("rule", "")
    return f"{action.get('type', '')} {action.get('value', '')} by {rule} ({discount.get('status')})".replace(
        "  ", " "
    )


def _plain(answer: Answer) -> Any:
    found = decoded(answer.body)
    return answer.body.decode(errors="replace")[:500] if found is None else found


def decoded(item: bytes) -> Any:
    """Return the JSON value of bytes, None where they are none."""
    try:
        return msgspec.json.decode(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
