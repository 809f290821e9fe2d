"""`adapter console token`: a token for a person, and its entry for the server."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.console.access.accounts import Account, account_of, digest
from adapter.settings.scalars import Secret
from adapter.settings.values import Console, Settings


def made(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["console", "token", *arguments])
    return result.exit_code, result.output


def test_the_entry_lets_the_token_sign_in_under_its_name() -> None:
    code, output = made("--name", "ann", "--role", "operate", "--json")
    found = json.loads(output)
    settings = Settings(console=Console(tokens=(Secret(found["entry"]),)))
    hashed = digest(found["token"])
    assert (code, account_of(hashed, settings)) == (0, Account(hashed, "ann", "operate"))
    assert found["token"] not in found["entry"]


def test_each_token_is_another_one() -> None:
    assert made("--name", "ann") != made("--name", "ann")


def test_a_name_that_no_entry_can_have_is_refused() -> None:
    assert made("--name", "a:b")[0] == 2
    assert made("--name", "a,b")[0] == 2
