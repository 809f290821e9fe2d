"""Client processes of a checkout: each sends its calls over many connections, and says what came back.

As a program it takes the port of a server; on its standard input is how many connections it has, and its
calls as `[path, body]`. It prints for each call `[status, reason, id]`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

#: A path of the API, and the body that is posted there.
Call = tuple[str, Any]
#: Status, reason of a refusal, id of what was made.
Came = list[Any]


def from_processes(ports: Sequence[int], calls: Sequence[Call], connections: int) -> list[Came]:
    """Send calls from a process for each port, all at once; answers are in the order of the calls."""
    count = len(ports)
    running = [_start(port, calls[at::count], connections // count) for at, port in enumerate(ports)]
    found: list[Came] = [[]] * len(calls)
    for at, process in enumerate(running):
        found[at::count] = json.loads(process.communicate(timeout=120)[0])
        assert process.returncode == 0
    return found


def came_out(answers: Sequence[Came]) -> Counter[str]:
    """Return how often calls came out how: `200`, or their reason."""
    return Counter("200" if status == 200 else reason for status, reason, _ in answers)


def _start(port: int, calls: Sequence[Call], connections: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps([connections, calls]).encode() + b"\n")
    process.stdin.flush()
    return process


async def _sent(port: int, connections: int, calls: Sequence[Call]) -> list[Came]:
    waiting = list(enumerate(calls))[::-1]
    found: dict[int, Came] = {}

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            at, (path, body) = waiting.pop()
            found[at] = await _answered(reader, writer, path, json.dumps(body).encode())
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return [found[at] for at in range(len(calls))]


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes
) -> Came:
    """Send a call, and again while the server asks for that."""
    while True:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(line for line in lines if line.lower().startswith("content-length:"))
        answer = json.loads(await reader.readexactly(int(length.partition(":")[2])))
        status, error = int(lines[0].split()[1]), answer.get("error", {})
        if status != 503:
            return [status, error.get("reason", error.get("code")), answer.get("id")]
        await asyncio.sleep(0.05)


def main() -> None:
    connections, calls = json.loads(sys.stdin.readline())
    found = asyncio.run(_sent(int(sys.argv[1]), connections, calls))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
