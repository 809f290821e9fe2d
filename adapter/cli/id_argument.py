"""Ids and names as the command line names them: refused where nothing can be kept under them."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from adapter.model.ids import invalid_id_reason, is_utf8


def of_a_customer(source_id: str) -> str:
    """Return an argument that is the id of one customer; raises BadParameter where it cannot be any."""
    wrong = invalid_id_reason(source_id)
    if wrong is not None:
        raise typer.BadParameter(wrong)
    return source_id


def in_utf8(name: str | None) -> str | None:
    """Return an option that names something; raises BadParameter where it is not UTF-8."""
    if name is not None and not is_utf8(name):
        raise typer.BadParameter("the name is not UTF-8 text, under which nothing is kept")
    return name


def all_in_utf8(names: Sequence[str] | None) -> Sequence[str] | None:
    """Return an option that may be given several times; raises as `in_utf8` does."""
    for name in names or ():
        in_utf8(name)
    return names
