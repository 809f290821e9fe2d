"""The writes of one loop iteration are joined, or dropped if the connection is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapter.server.write_buffer import WriteBuffer


class Other(asyncio.Transport):
    """The underlying transport; like uvloop's, it does not accept writes once it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@pytest.mark.parametrize(("lost", "written"), [(False, [b"head body"]), (True, [])])
async def test_buffered_writes_of_a_lost_connection_are_dropped(lost: bool, written: list[bytes]) -> None:
    other = Other()
    buffer = WriteBuffer(other, asyncio.get_running_loop())
    buffer.write(b"head ")
    buffer.write(b"body")
    other.closed = lost
    await asyncio.sleep(0)
    assert other.written == written
