"""Several hosts in one DSN: all are tried at once, because one that is dead may say nothing for long."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping
from typing import Any

import asyncpg
from asyncpg import exceptions

_PARTS = re.compile(r"([^/?#]+://(?:[^/?#]*@)?)([^/?#]+)(.*)", re.DOTALL)


def by_host(dsn: str) -> dict[str, str]:
    """Return a DSN for each of the hosts that one names before its path, by the host's name.

    Hosts and ports among the parameters are left to the driver, which tries one after the other.
    """
    parts = _PARTS.fullmatch(dsn)
    if parts is None or re.search(r"[?&](host|port)=", parts[3]):
        return {"": dsn}
    return {host: f"{parts[1]}{host}{parts[3]}" for host in parts[2].split(",")}


async def first(
    attempts: Mapping[str, Coroutine[Any, Any, asyncpg.Connection[Any]]],
) -> asyncpg.Connection[Any]:
    """Return the first connection that is made, and drop all others.

    Raises what the one attempt raised; of several, ConnectionError with the reason of each.
    """
    tasks = {asyncio.ensure_future(attempt): host for host, attempt in attempts.items()}
    pending = set(tasks)
    chosen: asyncpg.Connection[Any] | None = None
    try:
        while pending and chosen is None:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            chosen = next((task.result() for task in done if task.exception() is None), None)
    finally:
        await _drop(list(tasks), chosen)
    if chosen is None:
        raise _together({host: task.exception() for task, host in tasks.items()})
    return chosen


async def _drop(
    tasks: list[asyncio.Task[asyncpg.Connection[Any]]], chosen: asyncpg.Connection[Any] | None
) -> None:
    for task in tasks:
        task.cancel()
    for made in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(made, asyncpg.Connection) and made is not chosen:
            made.terminate()


def _together(errors: Mapping[str, BaseException | None]) -> BaseException:
    """Return the errors as one."""
    known = {host: error for host, error in errors.items() if error is not None}
    if len(known) == 1:
        return next(iter(known.values()))
    return ConnectionError("; ".join(f"{host}: {_reason(error)}" for host, error in known.items()))


def _reason(error: BaseException) -> str:
    if isinstance(error, exceptions.TargetServerAttributeNotMatched):
        return "only reads"
    if isinstance(error, TimeoutError):
        return "does not answer"
    return str(error) or type(error).__name__
