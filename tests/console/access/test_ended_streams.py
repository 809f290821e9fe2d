"""The live list ends with the session of its visitor, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.console.sessions import Signed
from tests.console.signing_in import ADMIN, READ, visitor

pytestmark = pytest.mark.process
STREAM = "/console/events/stream?after=0"
#: What a stream says to a visitor who was signed out; its lines without blank ones.
ENDED = [": follows", "event: ended", "data: signed out"]


@pytest.mark.parametrize("end", [Signed.sign_out, Signed.expire, Signed.revoke, Signed.promote])
def test_a_stream_ends_by_itself_when_its_session_has(
    signed: Signed, end: Callable[[Signed, httpx.Client], None]
) -> None:
    with visitor(signed.server.url, READ) as client, client.stream("GET", STREAM) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": follows"
        end(signed, client)
        # A stream that went on would say a sign of life before the client's patience ends.
        assert [": follows", *filter(None, lines)] == ENDED


def test_a_reload_that_keeps_a_token_keeps_its_streams(signed: Signed) -> None:
    with (
        visitor(signed.server.url, READ) as reader,
        visitor(signed.server.url, ADMIN) as admin,
        reader.stream("GET", STREAM) as ending,
        admin.stream("GET", STREAM) as kept,
    ):
        lines = filter(None, kept.iter_lines())
        signed.revoke(reader)
        assert list(filter(None, ending.iter_lines())) == ENDED
        signed.track()
        assert [next(lines), next(lines)] == [": follows", "event: rows"]
