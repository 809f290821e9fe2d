"""A transport that joins the writes of one iteration of the event loop."""

from __future__ import annotations

import asyncio

#: Bytes that are written at once, so that the transport's own limits apply to a long response.
_FLUSH_BYTES = 65_536


class WriteBuffer:
    """A transport that joins its writes, and writes them at the end of the event loop's current iteration."""

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
        """Write soon; data of _FLUSH_BYTES or more is written now."""
        if not self._parts:
            self._soon(self._flush)
        self._parts.append(data)
        if len(data) >= _FLUSH_BYTES:
            self._flush()

    def write_now(self, data: bytes) -> None:
        """Write data that is complete, without waiting for more."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """Close after all is written."""
        self._flush()
        self._transport.close()

    def unsent(self) -> int:
        """Return the number of bytes that the client has not received yet."""
        return self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close now, and drop unsent bytes."""
        self._parts.clear()
        self._transport.abort()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.is_closing():
            self._transport.write(b"".join(parts))
