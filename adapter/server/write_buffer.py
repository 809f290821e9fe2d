"""A transport that joins what one step of the server writes."""

from __future__ import annotations

import asyncio

#: Bytes that go out at once, so that a long answer meets the transport's own limits.
_MUCH = 65_536


class WriteBuffer:
    """A transport whose writes go out at the end of the loop's present step, joined."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._soon = loop.call_soon
        self._parts: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        """Write soon; much is written now."""
        if not self._parts:
            self._soon(self._flush)
        self._parts.append(data)
        if len(data) >= _MUCH:
            self._flush()

    def write_now(self, data: bytes) -> None:
        """Write what is joined already."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """Close once all is written."""
        self._flush()
        self._transport.close()

    def unsent(self) -> int:
        """Return the bytes that the other side has not taken yet."""
        return self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close at once, whatever is unsent."""
        self._parts.clear()
        self._transport.abort()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.is_closing():
            self._transport.write(b"".join(parts))
