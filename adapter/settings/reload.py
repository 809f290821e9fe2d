"""Which settings a running server takes from settings that were read again, and which need a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from adapter.errors import InvalidFiles
from adapter.files.problems import Mark, Problem
from adapter.settings.checks import check
from adapter.settings.destinations.registry import Destinations
from adapter.settings.fields import Keys
from adapter.settings.values import Settings

#: Sections and single settings that are exchanged while the server runs. All others are read at the start:
#: where it listens, what it stores and where, and the limits of queues and of memory that is in use.
RELOADED: Final = frozenset({
    "segment", "mparticle", "api", "console", "imports", "retention", "log", "destinations",
    "server.body_timeout_seconds", "ingest.reward_within_hours",
})  # fmt: skip


class Reloaded(Struct, frozen=True):
    """The settings that a running server may use, with the names of those that differ.

    `changed` are in `settings`. `waiting` are not: they need a restart. Neither contains a value.
    """

    settings: Settings
    changed: tuple[str, ...]
    waiting: tuple[str, ...]


def reloaded(before: Settings, fresh: Settings) -> Reloaded:
    """Return what of `fresh` replaces `before`; raises InvalidFiles where a running server must not do so."""
    different = list(_different(before, fresh))
    changed = [keys for keys in different if is_reloaded(keys)]
    settings = replace(before, destinations=fresh.destinations)
    for section, key in changed:
        if section != "destinations":
            new = replace(getattr(settings, section), **{key: getattr(getattr(fresh, section), key)})
            settings = replace(settings, **{section: new})
    _expect_usable(before, settings)
    return Reloaded(settings, _names(changed), _names(keys for keys in different if not is_reloaded(keys)))


def is_reloaded(keys: Keys) -> bool:
    """Return whether a running server takes a setting."""
    return keys[0] in RELOADED or ".".join(keys[:2]) in RELOADED


def _different(before: Settings, fresh: Settings) -> Iterator[tuple[str, str]]:
    """Yield section and key of each setting that differs; of destinations, each name."""
    after = asdict(fresh)
    for section, old in asdict(before).items():
        was, now = _values(old), _values(after[section])
        for key in dict.fromkeys((*was, *now)):
            if was.get(key) != now.get(key):
                yield section, key


def _values(section: Struct) -> dict[str, Any]:
    return dict(section.by_name) if isinstance(section, Destinations) else asdict(section)


def _names(different: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(".".join(keys) for keys in different)


def _expect_usable(before: Settings, after: Settings) -> None:
    """Raise InvalidFiles for settings that are valid only together with some that need a restart.

    A server that asks for credentials goes on to do so: an emptied file must not open it.
    """
    problems = [problem for problem in check(after, {}) if problem.severity == "error"]
    if before.auth_enabled and not after.auth_enabled:
        message = "the last secret is gone, and without one every endpoint would be open"
        problems.append(Problem(Mark("settings", 1, 1), message, "restart the server if that is intended"))
    if problems:
        raise InvalidFiles(problems)
