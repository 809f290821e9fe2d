"""A receiver on a real socket that can misbehave in every way a webhook endpoint does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec import Raw

from adapter.destinations.transport import GuardedClient, HttpClient, guarded_client
from adapter.destinations.webhook import WebhookDestination
from adapter.model.deliveries import Delivery
from adapter.settings.destinations.webhook import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Received(NamedTuple):
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """Takes requests, keeps them, and answers as told; `connections` counts the sockets opened to it."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()
        self.answer: Answer = self.says(200)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def says(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        lines = {"Content-Length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())

        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body)
            await writer.drain()

        return answer

    def late(self, seconds: float, answer: Answer) -> Answer:
        async def later(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(seconds)
            await answer(writer)

        return later

    async def resets(self, writer: asyncio.StreamWriter) -> None:
        """Answer with a TCP reset."""
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    async def breaks_off(self, writer: asyncio.StreamWriter) -> None:
        """Answer 200, and reset the connection in the body."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nabc")
        await writer.drain()
        await self.resets(writer)

    async def hangs_up(self, writer: asyncio.StreamWriter) -> None:
        """Close without a word."""
        writer.close()

    async def babbles(self, writer: asyncio.StreamWriter) -> None:
        """Answer what is not HTTP."""
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    def drips(self, status: int) -> Answer:
        """Give a body that never ends, a byte at a time."""
        return self._streams(status, b"1\r\nx\r\n", 0.02)

    def floods(self, status: int) -> Answer:
        """Give a body that never ends, as fast as it is read."""
        return self._streams(status, b"10000\r\n" + b"x" * 65_536 + b"\r\n", 0)

    async def never_finishes_its_headers(self, writer: asyncio.StreamWriter) -> None:
        """Drip header lines for ever."""
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"X-More: 1\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    def _streams(self, status: int, chunk: bytes, pause: float) -> Answer:
        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(f"HTTP/1.1 {status} Whatever\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            while not writer.is_closing():
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(pause)

        return answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                self.requests.append(await _read_request(reader))
                await self.answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def close(self, server: asyncio.Server) -> None:
        """Close the server with the connections that are open: a test leaves no socket behind."""
        server.close()
        for writer in self._open:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._open), return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])
    }
    return Received(
        head[0].split(" ")[1], headers, await reader.readexactly(int(headers.get("content-length", 0)))
    )


def webhook(url: str, client: HttpClient, **settings: Any) -> WebhookDestination:
    """Return a webhook with one secret; http and addresses of loopback are allowed."""
    given = {"url": url, "secrets": (SECRET,), "allow_private_addresses": True, **settings}
    return WebhookDestination("shop", Webhook(**given), client)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that answers 200 until told otherwise."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    await receiver.close(server)


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    """The client that the adapter itself would use, let onto loopback."""
    async with guarded_client(allow_private=True, allow_http=True) as client:
        yield client


@pytest.fixture
def endpoint(client: GuardedClient, receiver: Receiver) -> WebhookDestination:
    """The receiver as a destination, with a second of patience."""
    return webhook(receiver.url, client, timeout_seconds=1)


@pytest.fixture
def now() -> datetime:
    """The real time, since the library that verifies signatures reads the clock."""
    return datetime.now(tz=UTC)


@pytest.fixture
def delivery(now: datetime) -> Delivery:
    """One discount on its way."""
    return Delivery(
        id="dlv_01JD3Z",
        destination="shop",
        source_id="u-1",
        type="discount.issued",
        event=Raw('{"type":"discount.issued","data":{"code":"HV15-ÄÖ✓"}}'.encode()),
        created_at=now,
        due_at=now,
        attempt=1,
    )


@pytest.fixture
def unused_tcp_port_url() -> str:
    """A URL on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/hook"


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Receiver, ssl.SSLContext]]:
    """A receiver over TLS that calls itself `hooks.test`, and the context that trusts its certificate."""
    certificate, key = _self_signed("hooks.test")
    (tmp_path / "both.pem").write_bytes(certificate + key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "both.pem")
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=serving)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver, ssl.create_default_context(cadata=certificate.decode())
    await receiver.close(server)


def _self_signed(name: str) -> tuple[bytes, bytes]:
    """Return certificate and key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), plain
