"""A connection that has been idle is still good: senders and load balancers keep theirs for later."""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from typing import Any

from adapter.server.serve import KEEP_ALIVE

#: How long AWS's load balancers leave a connection idle, and may use it again.
LONGEST = 60


def answered(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/health/live")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_a_connection_is_good_after_the_few_seconds_that_most_clients_keep_theirs(shop: Any) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", shop.port, timeout=5)) as connection:
        assert answered(connection) == 200
        time.sleep(6)
        socket = connection.sock
        assert answered(connection) == 200
        assert connection.sock is socket, "it is the same connection"


def test_a_connection_is_kept_for_longer_than_load_balancers_keep_theirs() -> None:
    assert KEEP_ALIVE > LONGEST
