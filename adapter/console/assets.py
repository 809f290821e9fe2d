"""The files that browsers get: style sheets, scripts and the libraries that the project carries.

Their URLs have a digest of all of them: browsers keep them for ever, and get new ones with a new version.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

ROOT: Final = "/console/static"
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def assets() -> dict[str, bytes]:
    """Return the content of each file by its path."""
    return dict(sorted(_below(files("adapter.console") / "static", "")))


@cache
def version() -> str:
    """Return a digest of all files."""
    hashed = sha256()
    for path, content in assets().items():
        hashed.update(f"{path}\n{len(content)}\n".encode() + content)
    return hashed.hexdigest()[:16]


def asset(path: str) -> str:
    """Return the URL of a file; raises KeyError where there is none."""
    assets()[path]
    return f"{ROOT}/{version()}/{path}"


def route() -> Route:
    """Return the route of all files."""
    return Route(ROOT + "/{version}/{path:path}", _serve, name="console_static")


async def _serve(request: Request) -> Response:
    path = request.path_params["path"]
    kind = _TYPES.get(path.rpartition(".")[2])
    if kind is None or path not in assets() or request.path_params["version"] != version():
        return PlainTextResponse("no such file", 404)
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Response(assets()[path], headers=headers, media_type=kind)


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in folder.iterdir():
        path = prefix + each.name
        found += _below(each, f"{path}/") if each.is_dir() else [(path, each.read_bytes())]
    return found
