"""A process that leases what is due, and is killed once a body was rendered and stored, before it is sent.

Arguments: the store's URL, and the file for the body that it would have sent.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Raw

from adapter.destinations.contract import Attempt
from adapter.model.deliveries import Delivery
from adapter.store.engines import open_store
from tests.services.outbox_doubles import Clock, Endpoint, relay


class Killed(Endpoint):
    """A destination whose process is killed when it is about to send."""

    file = Path(sys.argv[-1])

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        self.file.write_bytes(deliveries[0].body)
        os.kill(os.getpid(), signal.SIGKILL)
        return await super().send(deliveries, now)


async def main() -> None:
    """Lease and be killed."""
    store = open_store(sys.argv[1])
    await store.open()
    await relay(store, Clock(), Killed("shop", render=random_body)).run_once(1)


def random_body(_: Delivery) -> Raw:
    """Render what no second rendering equals."""
    return Raw(b'"%s"' % uuid.uuid4().hex.encode())


if __name__ == "__main__":
    asyncio.run(main())
