"""What is wrong with an expression, and where."""

from __future__ import annotations

from adapter.errors import AdapterError


class ExpressionError(AdapterError):
    """An expression that is not in the condition language, or names what is not declared.

    `message` is one lower-case sentence, `remedy` says what to write instead (or is empty), `offset` is
    the place in the expression's text, from 0.
    """

    code = "expression"

    def __init__(self, message: str, remedy: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message
