"""Payloads out of files: bodies as a CDP sends them, decoded as the server decodes them."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer

from adapter.errors import Refused
from adapter.files.problems import Mark, Problem
from adapter.sources import registry
from adapter.sources.decoded_body import Decoded
from adapter.sources.registry import SOURCES

_BYTE = re.compile(r" \(byte (\d+)\)$")


def bodies(path: Path) -> tuple[list[bytes], list[Problem]]:
    """Return the bodies in a file, `-` for standard input, and a problem for each line that is none.

    It holds one JSON value, or one on each line (JSONL), which its name or its first line tells.
    """
    content = _content(path)
    lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    jsonl = path.suffix == ".jsonl" or (len(lines) > 1 and _flaw(lines[0][1]) is None)
    if not lines or not jsonl or _flaw(content) is None:
        return [content], []
    flaws = {number: _flaw(line) for number, line in lines}
    name = "standard input" if str(path) == "-" else str(path)
    problems = [_problem(Mark(name, number, flaw[0]), flaw[1]) for number, flaw in flaws.items() if flaw]
    return [line for number, line in lines if flaws[number] is None], problems


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        typer.echo(f"adapter: {path} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _problem(at: Mark, why: str) -> Problem:
    return Problem(at, f"the line is not JSON: {why}", "write one whole body on it, or take it out")


def _flaw(text: bytes) -> tuple[int, str] | None:
    """Return the column, from 1, by which a text is not JSON, and why; None where it is."""
    try:
        text.decode()
        msgspec.json.decode(text)
    except (msgspec.ValidationError, RecursionError):
        return None  # a number that is too large, or too much in one another: that is for the decoders
    except UnicodeDecodeError as error:
        return error.start + 1, "not UTF-8"
    except msgspec.DecodeError as error:
        why = str(error).removeprefix("JSON is malformed: ")
        place = _BYTE.search(why)
        return (int(place[1]) + 1, why[: place.start()]) if place else (len(text) + 1, "it ends too early")
    return None


def source_of(body: bytes) -> str:
    """Return the name of the source that sends such a body."""
    return registry.source_of(_value(body)).name


def decode(source: str, body: bytes, received_at: datetime) -> Decoded:
    """Decode a body of any endpoint of a source; raises Refused where it cannot be read at all."""
    return SOURCES[source].decode_recorded(body, received_at)


def decode_case(source: str, body: bytes, received_at: datetime) -> tuple[list[Any], list[str]]:
    """Decode the body of a test case: its messages, and the reasons of what is none."""
    try:
        decoded = decode(source, body, received_at)
    except Refused as error:
        return [], [error.message]
    return decoded.messages, [entry.reason for entry in decoded.quarantined]


def _value(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
