"""The program of a child process: one request on standard input, frames of its answer on standard output."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from typing import BinaryIO

from adapter.errors import AdapterError
from adapter.services.child.requests import Frame

#: The lowest priority, so that the server's process always goes first.
_NICENESS = 19
#: Progress is told once for so many messages.
_STEP = 500


def main() -> None:
    """Answer one request."""
    with suppress(OSError):
        os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's; the server ends its children itself
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever else prints does not get into the answer
    request = pickle.load(sys.stdin.buffer)  # noqa: S301 - the server that started this process has written it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _send(out, Frame("done", request.run(_Progress(out).tell)))
    except AdapterError as error:
        _send(out, Frame("failed", error.message))


class _Progress:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._told = 0

    def tell(self, count: int, of: int) -> None:
        if count == of or count < self._told or count - self._told >= _STEP:
            self._told = count
            _send(self._out, Frame("progress", (count, of)))


def _send(out: BinaryIO, frame: Frame) -> None:
    body = pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)
    out.write(len(body).to_bytes(8, "big") + body)
    out.flush()


def _end_with_parent() -> None:
    """End at once when the server has: then the other end of standard input is closed."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
