"""`adapter serve`."""

from __future__ import annotations

import errno
import socket
from typing import Annotated

import typer

from adapter import app, logs
from adapter.cli.settings import Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.settings.values import Server

EXAMPLES = """\b
Examples:
  adapter serve
  adapter serve --port 8080 --store sqlite:////var/lib/adapter/adapter.db
  ADAPTER_SEGMENT_SHARED_SECRETS=... adapter serve --host 0.0.0.0"""


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
) -> None:
    """Receive webhooks, decide, and serve the API until a signal stops it."""
    settings = settled(config, options(store, mappings, rules, host, port))
    if trouble := unusable(settings.server):
        typer.echo(f"adapter: {trouble}", err=True)
        raise typer.Exit(1)
    logs.configure(settings.log.level)
    try:
        app.serve(settings)
    except AdapterError as error:
        raise stopped(error) from None


def unusable(server: Server) -> str | None:
    """Say in one sentence why we cannot listen there, None when we can."""
    place = f"port {server.port} on {server.host}"
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(
            server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return f"no address of this machine is called `{server.host}`; choose another with --host"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"{place} is taken; stop what listens there, or choose another with --port"
        if error.errno == errno.EACCES:
            return f"{place} needs more rights than we have; choose a port from 1024 up with --port"
        return (
            f"{place} cannot be used ({(error.strerror or str(error)).lower()}); choose another with --host"
        )
    return None
