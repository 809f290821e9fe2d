"""Calls the API of the server that the settings name, for commands beside a running server."""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from adapter.errors import Refused, Unavailable
from adapter.settings.values import Settings

#: Addresses on which a server listens for all; this machine reaches it on the loopback.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
_PIECE = 1 << 16
_TIMEOUT = 60


def address_of(settings: Settings) -> str:
    """Return the address at which this machine reaches the server of the settings."""
    host = _EVERYWHERE.get(settings.server.host, settings.server.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


class ServerClient:
    """One call at a time; raises Unavailable where nothing answers, Refused for what the server refuses."""

    def __init__(self, settings: Settings) -> None:
        server = settings.server
        self._host = _EVERYWHERE.get(server.host, server.host)
        self._port = server.port
        tokens = (*settings.api.tokens, *settings.api.operate_tokens)
        self._token = tokens[0] if tokens else None

    def is_there(self) -> bool:
        """Tell whether a server answers at the address of the settings."""
        try:
            with self._response("GET", "/health/live") as response:
                return response.status == 200
        except Unavailable:
            return False

    def call(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, size: int | None = None
    ) -> Any:
        """Return the JSON that a call answers."""
        with self._response(method, path, body, size) as response:
            return self._checked(response.status, response.read())

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield the body of a GET, piece by piece."""
        with self._response("GET", path) as response:
            if response.status != 200:
                self._checked(response.status, response.read())
            while piece := response.read(_PIECE):
                yield piece

    def _checked(self, status: int, body: bytes) -> Any:
        try:
            found = msgspec.json.decode(body) if body else None
        except msgspec.DecodeError:
            found = None
        if status < 300:
            return found
        error = found.get("error") if isinstance(found, dict) else None
        message = error.get("message") if isinstance(error, dict) else f"it answered {status}"
        kind = Unavailable if status in {429, 502, 503, 504} else Refused
        raise kind(f"the server at {self._host}:{self._port}: {message}")

    @contextmanager
    def _response(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, size: int | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        chunked = False
        if size is not None:
            headers["Content-Length"] = str(size)
        elif body is not None and not isinstance(body, bytes):
            headers["Transfer-Encoding"] = "chunked"
            chunked = True
        try:
            connection.request(method, path, body, headers, encode_chunked=chunked)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"no server answers at {self._host}:{self._port}, and another process has the store: {error}"
            ) from None
        finally:
            connection.close()
