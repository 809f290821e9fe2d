"""`adapter serve`."""

from __future__ import annotations

import errno
import socket
from functools import partial
from typing import Annotated

import typer

from adapter import logs
from adapter.cli.settings import Config, Mappings, Rules, Store, options, reread, settled, stopped
from adapter.errors import AdapterError
from adapter.server import serve as server
from adapter.settings.values import Server, Settings

EXAMPLES = """\b
Examples:
  adapter serve
  adapter serve --port 8080 --store sqlite:////var/lib/adapter/adapter.db
  adapter serve --workers 4 --store postgresql://adapter@db1,db2/adapter
  ADAPTER_SEGMENT_SHARED_SECRETS=... adapter serve --host 0.0.0.0"""

#: A call as Segment's Webhooks destination sends it; without `timestamp` it happens now.
TRY = """\
curl -s URL/webhooks/segment -H 'Content-Type: application/json' -d '{
  "type": "track", "event": "Checkout Started", "userId": "user_123",
  "messageId": "ajs-next-1721067850000-4f9c2a", "channel": "browser", "version": 2,
  "context": {"locale": "en-US", "page": {"path": "/checkout"}, "campaign": {"source": "email"}},
  "properties": {
    "order_id": "O-1", "value": 145.75, "currency": "USD", "shipping_country": "US",
    "products": [{"sku": "TEE-001", "quantity": 2, "price": 25.0},
                 {"sku": "DENIM-034", "quantity": 1, "price": 95.75}]
  }}'"""


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve; PostgreSQL only.")] = None,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
) -> None:
    """Receive webhooks, decide, and serve the API until a signal stops it."""
    given = options(store, mappings, rules, host=host, port=port, workers=workers)
    settings = settled(config, given)
    if trouble := unusable(settings.server):
        typer.echo(f"adapter: {trouble}", err=True)
        raise typer.Exit(1)
    logs.configure(settings.log.level, form=settings.log.format)
    try:
        server.serve(
            settings, lambda port: typer.echo(greeting(settings, port)), partial(reread, config, given)
        )
    except AdapterError as error:
        raise stopped(error) from None


def greeting(settings: Settings, port: int) -> str:
    """Return where we listen and where the console is; while no credential is needed, a request to try."""
    host = f"[{settings.server.host}]" if ":" in settings.server.host else settings.server.host
    url = f"http://{host}:{port}"
    if settings.auth_enabled:
        webhooks = f"webhooks go to {url}/webhooks/segment and {url}/webhooks/mparticle"
        return f"Listening on {url}; {webhooks}. The console is at {url}/console"
    open_to = f"Listening on {url}, for this machine only. The console is at {url}/console"
    return f"{open_to}. Try this:\n\n{TRY.replace('URL', url)}\n"


def unusable(at: Server) -> str | None:
    """Say in one sentence why we cannot listen there, None when we can."""
    place = f"port {at.port} on {at.host}"
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(
            at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError, ValueError):  # the last two for text that no name can be
        return f"no address of this machine is called `{at.host}`; choose another with --host"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"{place} is taken; stop what listens there, or choose another with --port"
        if error.errno == errno.EACCES:
            return f"{place} needs more rights than we have; choose a port from 1024 up with --port"
        return (
            f"{place} cannot be used ({(error.strerror or str(error)).lower()}); choose another with --host"
        )
    return None
