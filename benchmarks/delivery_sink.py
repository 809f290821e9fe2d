"""A receiver on loopback for the benchmarks of delivery: it answers 200, and prints when which delivery came.

    python -m benchmarks.delivery_sink SECONDS    answers after so many seconds

It prints its port, and when its input ends, the arrivals as JSON: `{"id": time.monotonic()}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import httptools
import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Sink(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, arrivals: dict[str, float], delay: float) -> None:
        self._arrivals = arrivals
        self._delay = delay
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"webhook-id":
            self._arrivals.setdefault(value.decode(), time.monotonic())

    def on_message_complete(self) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, ANSWER)
        else:
            self._transport.write(ANSWER)


async def main(delay: float) -> None:
    arrivals: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(arrivals, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(arrivals), flush=True)


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1])))
