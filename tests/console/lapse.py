"""A server whose clock runs through the last days in seconds, so that its pages have a past.

As a program it is `adapter serve` with that clock; LAPSE has the points of the clock.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from adapter import app
from adapter.composition import background
from adapter.server import serve
from adapter.settings import load as reading

VARIABLE = "LAPSE"
#: What a server writes about its own activity every ten seconds, it writes this often here.
_ROUND = timedelta(milliseconds=200)


class Lapse(msgspec.Struct, frozen=True):
    """A clock: at each `real` time, in seconds since 1970, it shows `shown`; between them it runs evenly.

    After the last point, where both are the same, it shows the real time.
    """

    real: tuple[float, ...]
    shown: tuple[float, ...]

    @classmethod
    def of(cls, now: float, *pieces: tuple[timedelta, float]) -> Lapse:
        """Return a clock that starts now; each piece is a part of the past, and the seconds that it takes."""
        ends = now + sum(seconds for _, seconds in pieces)
        real, shown = [now], [ends - sum(past.total_seconds() for past, _ in pieces)]
        for past, seconds in pieces:
            real.append(real[-1] + seconds)
            shown.append(shown[-1] + past.total_seconds())
        return cls(tuple(real), tuple(shown))

    def at(self, real: float) -> float:
        """Return what the clock shows at a real time."""
        for (begin, shown), (end, next_shown) in pairwise(zip(self.real, self.shown, strict=True)):
            if real < end:
                return shown + (real - begin) / (end - begin) * (next_shown - shown)
        return real

    def now(self) -> datetime:
        """Return what it shows now."""
        return datetime.fromtimestamp(self.at(time.time()), UTC)

    @property
    def start(self) -> datetime:
        """What it shows first."""
        return datetime.fromtimestamp(self.shown[0], UTC)

    @property
    def end(self) -> datetime:
        """When it shows the real time."""
        return datetime.fromtimestamp(self.shown[-1], UTC)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("port", "store", "rules", "config"):
        parser.add_argument(f"--{name}")
    arguments = parser.parse_args()
    lapse = msgspec.json.decode(os.environ.pop(VARIABLE), type=Lapse)
    options: dict[tuple[str, ...], Any] = {
        ("server", "port"): arguments.port,
        ("store", "url"): arguments.store,
        ("files", "rules"): arguments.rules,
    }
    _replace(app, "Environment", clock=lapse.now)
    _replace(background, "ActivityRecorder", interval=_ROUND)
    serve.serve(reading.load(Path(arguments.config), os.environ, options))


def _replace(module: ModuleType, name: str, **arguments: Any) -> None:
    """Give arguments to what a module creates under a name; raises KeyError where it creates none."""
    setattr(module, name, partial(vars(module)[name], **arguments))


if __name__ == "__main__":
    main()
