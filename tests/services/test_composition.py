"""The composition root composes: what works is in rooms."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = ast.parse((Path(__file__).parents[2] / "adapter" / "app.py").read_text("utf-8"))


def test_the_composition_has_no_closures() -> None:
    inner = [
        each
        for function in ast.walk(SOURCE)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for each in ast.walk(function)
        if each is not function and isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    assert inner == []


def test_the_composition_calculates_nothing_and_draws_nothing() -> None:
    assert not [each for each in ast.walk(SOURCE) if isinstance(each, ast.BinOp) and _calculates(each)]
    imported = {name.name for each in ast.walk(SOURCE) if isinstance(each, ast.Import) for name in each.names}
    assert imported <= {"asyncio", "time"}


def _calculates(operation: ast.BinOp) -> bool:
    """Say whether it is arithmetic; `X | Y` is a type."""
    return not isinstance(operation.op, ast.BitOr)
