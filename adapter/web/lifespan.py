"""The life of the application, told to the server in one sentence when it cannot begin."""

from __future__ import annotations

import logging

from starlette.types import Receive, Send

from adapter.errors import AdapterError
from adapter.web.context import WebContext

_log = logging.getLogger(__name__)


async def lifespan(context: WebContext, receive: Receive, send: Send) -> None:
    """Follow the ASGI lifespan protocol around `context.lifespan`.

    Starlette would tell the server a whole traceback; here it is the error's own sentence, and what nobody
    foresaw is logged without its words.
    """
    await receive()
    stage = "startup"
    try:
        async with context.lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
            stage = "shutdown"
    except AdapterError as error:
        await send({"type": f"lifespan.{stage}.failed", "message": error.message})
    except Exception as error:  # noqa: BLE001 - logged by type and place
        _log.error("unexpected error", exc_info=error)
        await send({"type": f"lifespan.{stage}.failed", "message": "it failed; the log has the details"})
    else:
        await send({"type": "lifespan.shutdown.complete"})
