"""The ASGI lifespan protocol; a failed start is reported in one sentence."""

from __future__ import annotations

import logging

from starlette.types import Receive, Send

from adapter.errors import AdapterError
from adapter.web.context import WebContext

_log = logging.getLogger(__name__)


async def lifespan(context: WebContext, receive: Receive, send: Send) -> None:
    """Follow the ASGI lifespan protocol around `context.lifespan`.

    Starlette would send a whole traceback to the server. Here, the server gets the message of an
    AdapterError; any other error is logged, and its message is not sent.
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
        message = f"unexpected error during {stage}; see the log"
        await send({"type": f"lifespan.{stage}.failed", "message": message})
    else:
        await send({"type": "lifespan.shutdown.complete"})
