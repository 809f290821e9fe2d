"""Turns the tokens of a template into nodes that write to the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.expressions import Found, filtered
from adapter.mapping.liquid.reading import Reader, Unreadable
from adapter.mapping.liquid.splitting import Token

#: Writes what a part of a template makes.
Run = Callable[[Context, list[str]], None]
#: Reads one tag, from the parser behind it; returns what it writes.
Tag = Callable[["Parser", Token], Run]
#: Tags within tags.
_DEEPEST = 40


@dataclass(slots=True)
class Node:
    """A part of a template, with the place where it begins."""

    at: int
    run: Run


class Parser:
    """The tokens of one template, read from the front."""

    def __init__(self, text: str, tokens: list[Token], tags: dict[str, Tag], found: Found) -> None:
        self.text = text
        self.tokens = tokens
        self.tags = tags
        self.found = found
        self._place = 0
        self._depth = 0

    def take(self) -> Token | None:
        """Return the next token, if there is one."""
        if self._place == len(self.tokens):
            return None
        self._place += 1
        return self.tokens[self._place - 1]

    def node(self, token: Token) -> Node:
        """Read one part of the template; raises Unreadable."""
        if token.output:
            made = filtered(self.reader(token), self.found)
            return Node(token.begin, lambda context, pieces: context.write(made(context), pieces))
        if token.is_text:
            text = self.text[token.start : token.stop]
            return Node(token.begin, lambda context, pieces: context.write(text, pieces))
        if (tag := self.tags.get(token.name)) is None:
            raise Unreadable(f'tag "{token.name}" not found', token.begin)
        return Node(token.begin, tag(self, token))

    def all(self) -> list[Node]:
        """Read every part that is left."""
        nodes = []
        while (token := self.take()) is not None:
            nodes.append(self.node(token))
        return nodes

    def block(self, opening: Token, *ends: str) -> tuple[list[Node], Token]:
        """Read the parts up to a tag with one of the names; returns them and that tag."""
        nodes: list[Node] = []
        self._deepen(opening)
        while (token := self.take()) is not None:
            if token.name in ends:
                self._depth -= 1
                return nodes, token
            nodes.append(self.node(token))
        raise self.unclosed(opening)

    def inner(self, opening: Token, tokens: list[Token]) -> Parser:
        """Return a parser of the tokens that a tag holds."""
        made = Parser(self.text, tokens, self.tags, self.found)
        made._depth = self._depth
        made._deepen(opening)
        return made

    def _deepen(self, opening: Token) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable(f"tags nested more than {_DEEPEST} deep", opening.begin)

    def unclosed(self, opening: Token) -> Unreadable:
        """Return the error that a tag is not closed."""
        return Unreadable(f"tag {self.text[opening.begin : opening.end]} not closed", opening.begin)

    def reader(self, token: Token) -> Reader:
        """Return a reader of what an output or a tag holds."""
        return Reader(self.text, token.start, token.stop)


def run_all(nodes: list[Node], context: Context, pieces: list[str]) -> None:
    """Write what the nodes make, up to a `break` or a `continue`."""
    for node in nodes:
        try:
            node.run(context, pieces)
        except Failed as failed:
            if failed.at is None:
                failed.at = node.at
            raise
        if context.stopped:
            return
