"""The composition root composes: what works is in rooms."""

from __future__ import annotations

import ast
from pathlib import Path

ADAPTER = Path(__file__).parents[2] / "adapter"
FILES = [ADAPTER / "app.py", *sorted((ADAPTER / "composition").glob("*.py"))]
NODES = [node for file in FILES for node in ast.walk(ast.parse(file.read_text("utf-8")))]


def test_the_composition_has_no_closures() -> None:
    inner = [
        each
        for function in NODES
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for each in ast.walk(function)
        if each is not function and isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    assert inner == []


def test_the_composition_calculates_nothing_and_draws_nothing() -> None:
    assert not [each for each in NODES if isinstance(each, ast.BinOp) and _calculates(each)]
    imported = {name.name for each in NODES if isinstance(each, ast.Import) for name in each.names}
    assert imported <= {"asyncio", "time"}


def _calculates(operation: ast.BinOp) -> bool:
    """Say whether it is arithmetic; `X | Y` is a type."""
    return not isinstance(operation.op, ast.BitOr)
