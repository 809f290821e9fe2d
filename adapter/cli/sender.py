"""Sends requests at a rate over several connections, and counts what is answered."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from adapter.sources.sending import Request

#: How long Segment waits for a response, in seconds.
TIMEOUT = 10
_UNSENT = 0


class Answer(Struct, frozen=True):
    """What one request was answered: its status (0 without an answer, then `body` says why) and seconds."""

    request: Request
    status: int
    body: bytes
    seconds: float


class Totals(Struct):
    """The answers of many requests."""

    statuses: Counter[int]
    seconds: list[float]
    items: int = 0
    lasted: float = 0.0

    @property
    def failed(self) -> int:
        """How many requests were not answered by success."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    def percentile(self, share: float) -> float:
        """Return the time in seconds within which this share of the requests was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


class Sender:
    """Sends to one server; `rate` is of requests in a second, as fast as possible without one."""

    def __init__(self, to: str, connections: int = 1, rate: float | None = None) -> None:
        self._to = urlsplit(to)
        self._connections = connections
        self._rate = rate
        self._lock = threading.Lock()

    def send(self, requests: Iterable[Request], each: Callable[[Answer], None]) -> Totals:
        """Send all requests, call `each` with every answer, and return the totals."""
        totals = Totals(Counter(), [])
        numbered = enumerate(requests)
        start = time.monotonic()

        def work() -> None:
            connection = _Connection(self._to)
            while True:
                with self._lock:
                    found = next(numbered, None)
                if found is None:
                    return connection.close()
                self._wait(start, found[0])
                answer = connection.post(found[1])
                with self._lock:
                    totals.statuses[answer.status] += 1
                    totals.seconds.append(answer.seconds)
                    totals.items += answer.request.items
                    each(answer)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        totals.lasted = time.monotonic() - start
        return totals

    def _wait(self, start: float, number: int) -> None:
        if self._rate is not None:
            time.sleep(max(start + number / self._rate - time.monotonic(), 0))


class _Connection:
    """One connection, made anew when the server has closed it."""

    def __init__(self, to: SplitResult) -> None:
        kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
        self._http = kind(to.hostname or "", to.port, timeout=TIMEOUT)
        self._base = to.path.rstrip("/")

    def post(self, request: Request) -> Answer:
        begun = time.monotonic()
        try:
            status, body = self._posted(request)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            status, body = _UNSENT, (str(error) or type(error).__name__).encode()
        return Answer(request, status, body, time.monotonic() - begun)

    def _posted(self, request: Request) -> tuple[int, bytes]:
        reused = self._http.sock is not None
        try:
            return self._once(request)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._http.close()
            if not reused:
                raise
            return self._once(request)  # the server had closed an idle connection

    def _once(self, request: Request) -> tuple[int, bytes]:
        self._http.request("POST", self._base + request.path, request.body, dict(request.headers))
        response = self._http.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        self._http.close()
