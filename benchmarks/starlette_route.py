"""The peer of the checkout benchmark: a Starlette route that decodes the order, and returns a file."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

#: The variable that names the file with the response.
ANSWER = "BENCHMARK_ANSWER"


async def _answer(request: Request) -> Response:
    await request.json()
    return Response(_BYTES, media_type="application/json")


_BYTES = Path(os.environ.get(ANSWER, os.devnull)).read_bytes()
app = Starlette(routes=[Route("/{path:path}", _answer, methods=["POST"])])
