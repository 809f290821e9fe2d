"""docs/signatures.md: its code in three languages gives its test vectors, and so does this program."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.destinations.signing import SigningSecret, signature_headers
from adapter.sources.mparticle import sending as mparticle
from adapter.sources.segment import sending as segment
from adapter.sources.segment import webhook

PAGE = (Path(__file__).parents[2] / "docs" / "signatures.md").read_text(encoding="utf-8")
BODY = '{"type":"track","userId":"ü-1"}'
PUSH = ("whsec_c2lnbmF0dXJlcyBvZiB0aGUgYWRhcHRlcg==", "msg_1", "1764504000", '{"type":"discount.issued"}')


def written(pattern: str) -> str:
    found = re.search(pattern, " ".join(PAGE.split()))
    assert found is not None
    return found[1]


#: Of each function of the page: its name in Python, JavaScript and shell, its arguments, and its result.
VECTORS = [
    (("x_signature", "xSignature", "x_signature"), ("s3cret", BODY), written(r"`X-Signature: (\w{40})`")),
    (
        ("webhook_signature", "webhookSignature", "webhook_signature"), PUSH,
        written(r"`webhook-signature: (v1,[^`]+)`"),
    ),
    (("basic", "basic", "basic"), ("key", "secret"), written(r"`Authorization: (Basic [^`]+)`")),
]  # fmt: skip


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL))


def in_python(names: tuple[str, str, str], arguments: tuple[str, ...]) -> str:
    space: dict[str, Any] = {}
    exec(blocks("python"), space)
    last = arguments[-1] if names[0] == "basic" else arguments[-1].encode()
    return str(space[names[0]](*arguments[:-1], last))


def in_javascript(names: tuple[str, str, str], arguments: tuple[str, ...]) -> str:
    code = blocks("js").replace("const crypto = require('node:crypto')", "")
    program = (
        f"const crypto = require('node:crypto')\n{code}\nconsole.log({names[1]}(...process.argv.slice(1)))"
    )
    return run("node", "-e", program, "--", *arguments)


def in_shell(names: tuple[str, str, str], arguments: tuple[str, ...]) -> str:
    return run("sh", "-ec", f'{blocks("sh")}\n{names[2]} "$@"', "sh", *arguments)


def run(*command: str) -> str:
    if shutil.which(command[0]) is None or (command[0] == "sh" and shutil.which("openssl") is None):
        pytest.skip(f"{command[0]} is not there")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("language", [in_python, in_javascript, in_shell])
@pytest.mark.parametrize(("names", "arguments", "result"), VECTORS, ids=lambda value: str(value)[:20])
def test_the_code_gives_the_vector(
    language: Callable[[tuple[str, str, str], tuple[str, ...]], str],
    names: tuple[str, str, str],
    arguments: tuple[str, ...],
    result: str,
) -> None:
    assert language(names, arguments) == result


def test_the_vectors_are_what_this_program_makes_and_accepts() -> None:
    [(_, (secret, body), signature), (_, _, push), (_, (key, password), basic)] = VECTORS
    assert segment.signature(secret, body.encode()) == signature
    assert webhook.verify(body.encode(), signature, [secret.encode()]) == "whole"
    at = datetime.fromtimestamp(int(PUSH[2]), UTC)
    headers = signature_headers([SigningSecret(PUSH[0])], PUSH[1], at, PUSH[3].encode())
    assert headers["webhook-signature"] == push
    assert mparticle.basic(f"{key}:{password}") == basic
