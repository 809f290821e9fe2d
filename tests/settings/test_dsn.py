"""PostgreSQL URLs: what is let through, the driver reads as it was written."""

from __future__ import annotations

import inspect
from typing import Any
from urllib.parse import quote

import pytest
from asyncpg import connect_utils
from hypothesis import given
from hypothesis import strategies as st

from adapter.settings import dsn

PASSWORDS = st.text(st.sampled_from("a1/?#@%:[],=&+ é"), min_size=1, max_size=8)


def driver_reads(url: str) -> Any:
    """Return the addresses and the login that the driver finds in a URL, without connecting."""
    parse = connect_utils._parse_connect_dsn_and_args  # type: ignore[attr-defined]
    nothing_else = dict.fromkeys(inspect.signature(parse).parameters)
    addresses, parameters, *_ = parse(**nothing_else | {"dsn": url})
    return addresses, parameters


@given(PASSWORDS)
def test_an_encoded_password_is_let_through_and_read_as_it_is(password: str) -> None:
    url = f"postgresql://me:{quote(password, safe='')}@host:5433/base"
    assert dsn.trouble(url) is None
    addresses, parameters = driver_reads(url)
    assert (addresses, parameters.user, parameters.database) == ([("host", 5433)], "me", "base")
    assert parameters.password == password


@given(PASSWORDS)
def test_a_password_as_it_is_is_refused_or_read_right_and_never_shown(password: str) -> None:
    url = f"postgresql://me:{password}@host:5433/base"
    if dsn.trouble(url) is None:
        addresses, parameters = driver_reads(url)
        assert (addresses, parameters.user, parameters.database) == ([("host", 5433)], "me", "base")
    assert dsn.shown(url) in ("postgresql://***", "postgresql://me:***@host:5433/base")
    assert dsn.holds_password(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///base",
        "postgres://me@/base?host=/var/run/postgresql&port=5433",
        "postgresql://%2Fvar%2Frun:5433/base",
        "postgresql://me@[::1]:5433,db2,db3:1/base?target_session_attrs=primary",
        "postgresql://me@host:/base?sslmode=require&application_name=a%40b",
        "postgresql://host/base?host=one,two&port=1,2",
    ],
)
def test_parameters_that_the_driver_reads_are_accepted(url: str) -> None:
    assert dsn.trouble(url) is None
    assert driver_reads(url)
    assert dsn.shown(url) == url
    assert not dsn.holds_password(url)


@pytest.mark.parametrize("parameter", ["connect_timeout=5", "channel_binding=require", "keepalives=1"])
def test_a_parameter_of_libpq_alone_is_refused_before_connecting(parameter: str) -> None:
    name = parameter.partition("=")[0]
    why = dsn.trouble(f"postgresql://me@host/base?sslmode=require&{parameter}")
    assert why == f"has `{name}`, which the driver does not support; remove it"
