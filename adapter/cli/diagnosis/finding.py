"""What a check found."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Status = Literal["ok", "warning", "failure", "skipped"]


class Finding(Struct, frozen=True):
    """One line of the report; `remedy` says what to do, and is empty where nothing needs to be done.

    `skipped` is what could not be checked, or was not asked for; it is neither good nor bad.
    """

    check: str
    status: Status
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Finding:
    """Return that all is well."""
    return Finding(check, "ok", detail)


def warning(check: str, detail: str, remedy: str) -> Finding:
    """Return what works, and should be changed."""
    return Finding(check, "warning", detail, remedy)


def failure(check: str, detail: str, remedy: str) -> Finding:
    """Return what does not work."""
    return Finding(check, "failure", detail, remedy)


def skipped(check: str, detail: str, remedy: str = "") -> Finding:
    """Return what was not checked, and why."""
    return Finding(check, "skipped", detail, remedy)
