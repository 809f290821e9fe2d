"""Start a child process, follow it, and end it."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Any

from adapter.errors import Refused
from adapter.services.child.requests import ChildRequest, Frame, Tell

_log = logging.getLogger(__name__)
#: An answer that is larger is not read.
_LARGEST = 256_000_000


async def answer(request: ChildRequest, tell: Tell = lambda _count, _of: None) -> Any:
    """Return what a child process answers; raises Refused with the sentence of its error.

    Cancelled, it ends the process.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapter.services.child.main", stdin=PIPE, stdout=PIPE
    )
    try:
        return await _answered(child, request, tell)
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
        await child.wait()


async def _answered(child: Process, request: ChildRequest, tell: Tell) -> Any:
    assert child.stdin is not None  # noqa: S101 - both are pipes
    assert child.stdout is not None  # noqa: S101
    with suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(pickle.dumps(request, pickle.HIGHEST_PROTOCOL))
        await child.stdin.drain()
    while True:
        frame = await _frame(child.stdout)
        if frame.kind == "done":
            return frame.value
        if frame.kind == "failed":
            raise Refused(frame.value)
        tell(*frame.value)


async def _frame(out: asyncio.StreamReader) -> Frame:
    try:
        size = int.from_bytes(await out.readexactly(8), "big")
        if size > _LARGEST:
            raise Refused(f"the answer has {size:,} bytes, more than are read")
        frame: Frame = pickle.loads(await out.readexactly(size))  # noqa: S301 - our own child has written it
    except asyncio.IncompleteReadError:
        _log.warning("a child process ended without an answer")
        raise Refused("the process that read the store ended without an answer; see the log") from None
    return frame
