"""Random conditions from a seed, each written twice: for us, and for cel-expr-python.

Where the languages differ by design (differential.py says where), the oracle's text asks what we mean.
"""

from __future__ import annotations

import json
import random
from typing import NamedTuple

NUMBERS = ["n1", "n2", "attributes.n3", "user.n4", "context.n5", "user.deep.n6"]
TEXTS = ["s1", "s2", "attributes.s3", "user.s4", "user.deep.s5", 'user.deep["s 6"]']
FLAGS = ["b1", "attributes.b2", "user.deep.b3"]
LISTS = ["l1", "attributes.l2", "user.deep.l3"]
RECORDS = ["items", "attributes.items"]
TIMES = ["t1", "attributes.t2"]
WORDS = ["a", "US", "us", "", "vip", "πέντε", "😀!", "12", "-3", "12.5", "x y", 'q"q', "b\\s", "line\nend"]
MOMENTS = [
    "2026-03-29T11:00:00Z",
    "2026-03-28T12:30:00+02:00",
    "2020-02-29T23:59:59.5Z",
    "2026-13-01T00:00:00Z",
    "x",
]
SPANS = ["1h", "90m", "36h", "1h30m", "45s"]
PATTERNS = ["^a", "U.$", "[0-9]+", "(?i)us", "π.*ε", "a|b", "^$"]
ZONES = ["UTC", "Europe/Berlin", "+05:30"]
EVENTS = ["order_completed", "cart_viewed"]
FAILS = "dyn([])[0]"
BARE = {name for names in (NUMBERS, TEXTS, FLAGS, LISTS, RECORDS, TIMES) for name in names if name.isalnum()}
_OR, _AND, _RELATION, _SUM, _PRODUCT, _UNARY, _MEMBER = range(1, 8)


class Pair(NamedTuple):
    """The same expression for us and for the oracle; `level` is how tightly it binds."""

    ours: str
    cel: str
    level: int = _MEMBER

    def within(self, level: int) -> Pair:
        """Return it in parentheses where its surroundings bind more tightly."""
        return self if self.level >= level else Pair(f"({self.ours})", f"({self.cel})")


def same(text: str) -> Pair:
    """Return what both sides write alike."""
    return Pair(text, text)


def join(operator: str, left: Pair, right: Pair, level: int) -> Pair:
    one, other = left.within(level), right.within(level + 1)
    return Pair(f"{one.ours} {operator} {other.ours}", f"{one.cel} {operator} {other.cel}", level)


class Generator:
    """Random conditions from a seed; `metrics` are those of the last one, `hN` to the oracle."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.pick = source.choice
        self.element: list[str] = []

    def condition(self, depth: int = 4) -> Pair:
        if depth <= 0 or self.source.random() < 0.15:
            return self.leaf()
        kind = self.source.random()
        if kind < 0.3:
            return self.chain("&&", _AND, depth)
        if kind < 0.55:
            return self.chain("||", _OR, depth)
        if kind < 0.75:
            inner = self.condition(depth - 1).within(_UNARY)
            return Pair(f"!{inner.ours}", f"!{inner.cel}", _UNARY)
        if kind < 0.82:
            asked, then, other = (self.condition(depth - 2).within(_OR) for _ in range(3))
            ours = f"{asked.ours} ? {then.ours} : {other.ours}"
            return Pair(ours, f"{asked.cel} ? {then.cel} : {other.cel}", 0)
        if kind < 0.9 and len(self.element) < 2:
            return self.macro(depth)
        return self.leaf()

    def chain(self, operator: str, level: int, depth: int) -> Pair:
        made = self.condition(depth - 1)
        for _ in range(self.source.randint(1, 3)):
            made = join(operator, made, self.condition(depth - 1), level)
        return made

    def leaf(self) -> Pair:
        makers = [self.contained, self.flag, self.present, self.nulled, self.textual, self.timed, self.alike,
                  *[self.compared] * 3, *[self.equated] * 2, *[self.listed] * 2]  # fmt: skip
        return self.pick(makers)()

    def variable(self, names: list[str], field: str) -> Pair:
        if self.element and self.source.random() < 0.6:
            element = self.pick(self.element)
            return same(self.pick([f"{element}.{field}", element]))
        return same(self.pick(names))

    def number(self, depth: int = 2) -> Pair:
        kind = self.source.random()
        if kind < 0.25:
            value = self.pick([0, 1, 2, 3, 12, 0.25, 2.5, 100, 7.75])
            return Pair(str(value), str(float(value)))
        if kind < 0.3:
            return Pair(
                f"-{(inner := self.variable(NUMBERS, 'n').within(_MEMBER)).ours}", f"-{inner.cel}", _UNARY
            )
        if kind < 0.4:
            return self.sized()
        if kind < 0.5:
            return self.metric()
        if kind < 0.58:
            return self.converted()
        if depth > 0 and kind < 0.72:
            return self.computed(depth)
        if depth > 0 and kind < 0.8:
            return self.rounded(depth)
        return self.variable(NUMBERS, "n")

    def computed(self, depth: int) -> Pair:
        left = self.number(depth - 1)
        operator = self.pick(["+", "-", "*", "/", "%"])
        if operator == "%":
            by = self.source.randint(2, 5)
            one = left.within(_PRODUCT)
            is_whole = f"double(int({left.cel})) == {left.within(_SUM).cel}"
            whole = f"({is_whole} ? double(int({left.cel}) % {by}) : {FAILS})"
            return Pair(f"{one.ours} % {by}", whole, _PRODUCT)
        right = Pair("4", "4.0") if operator == "/" else self.number(depth - 1)
        return join(operator, left, right, _SUM if operator in "+-" else _PRODUCT)

    def rounded(self, depth: int) -> Pair:
        inner, other = self.number(depth - 1), self.number(depth - 1)
        if self.source.random() < 0.5:
            function = self.pick(["round", "floor", "ceil", "abs"])
            return Pair(f"math.{function}({inner.ours})", f"math.{function}({self.numeric(inner)})")
        function = self.pick(["greatest", "least"])
        ours = f"math.{function}({inner.ours}, {other.ours})"
        return Pair(ours, f"math.{function}({self.numeric(inner)}, {self.numeric(other)})")

    def numeric(self, given: Pair) -> str:
        """Return the oracle's text for what must be a number: its functions take true and false too."""
        return f"(type({given.cel}) == double ? {given.cel} : {FAILS})"

    def sized(self) -> Pair:
        inner = self.pick([self.variable(TEXTS, "s"), self.variable(LISTS, "l")])
        written = self.pick([f"size({inner.ours})", f"{inner.ours}.size()"])
        return Pair(written, f"double(size({inner.cel}))")

    def metric(self) -> Pair:
        event, which = self.pick(EVENTS), self.source.randint(0, 2)
        ours = (f'history.count("{event}", "30d")', f'history.sum("{event}", "total")',
                f'history.avg("{event}", "total", "2w")')[which]  # fmt: skip
        return Pair(ours, f"h_{('count', 'sum', 'avg')[which]}_{event}")

    def converted(self) -> Pair:
        inner = self.pick([self.variable(TEXTS, "s"), self.variable(NUMBERS, "n")])
        if self.source.random() < 0.5:
            return Pair(f"double({inner.ours})", f"double({inner.cel})")
        guarded = f"(type({inner.cel}) != bool ? double(int({inner.cel})) : {FAILS})"
        return Pair(f"int({inner.ours})", guarded)

    def text(self) -> Pair:
        kind = self.source.random()
        if kind < 0.4:
            return self.quoted(self.pick(WORDS))
        if kind < 0.5:
            inner = self.variable(TEXTS, "s")
            call = self.pick(["lowerAscii()", "upperAscii()", "trim()", 'replace("a", "bb")',
                              'split(" ").join("-")', "substring(1)"])  # fmt: skip
            return Pair(f"{inner.ours}.{call}", f"{inner.cel}.{call}")
        return self.variable(TEXTS, "s")

    def quoted(self, word: str) -> Pair:
        plain = json.dumps(word, ensure_ascii=False)
        if "\n" not in word and "\\" not in word and "'" not in word and self.source.random() < 0.4:
            plain = self.pick([f"'{word}'", f"r'{word}'", f"'''{word}'''"])
        return Pair(plain, plain)

    def compared(self) -> Pair:
        operator = self.pick(["<", "<=", ">", ">="])
        if self.source.random() < 0.15:
            return join(operator, self.text(), self.text(), _RELATION)
        return join(operator, self.number(), self.number(), _RELATION)

    def equated(self) -> Pair:
        number, text = self.variable(NUMBERS, "n"), self.variable(TEXTS, "s")
        flag = (self.variable(FLAGS, "b"), same(self.pick(["true", "false"])))
        sides = [(self.number(), self.number()), (self.text(), self.text()), flag]
        left, right = self.pick([*sides, (number, self.number()), (text, self.text())])
        return self.strict(self.pick(["==", "!="]), left, right)

    def alike(self) -> Pair:
        some = [self.variable(names, field) for names, field in ((LISTS, "l"), (RECORDS, "l"), (TEXTS, "s"))]
        return self.strict(self.pick(["==", "!="]), self.pick(some), self.pick(some))

    def strict(self, operator: str, left: Pair, right: Pair) -> Pair:
        joined = join(operator, left, right, _RELATION)
        compared = f"dyn({left.cel}) {operator} {right.within(_SUM).cel}"
        guarded = f"(type({left.cel}) == type({right.cel}) ? {compared} : {FAILS})"
        return Pair(joined.ours, guarded, joined.level)

    def listed(self) -> Pair:
        numeric = self.source.random() < 0.4
        left = self.variable(NUMBERS, "n") if numeric else self.variable(TEXTS, "s")
        items = [self.literal(numeric) for _ in range(self.source.randint(1, 4))]
        ours, theirs = ", ".join(item.ours for item in items), ", ".join(item.cel for item in items)
        guarded = f"(type({left.cel}) == type({items[0].cel}) ? {left.cel} in [{theirs}] : {FAILS})"
        return Pair(f"{left.ours} in [{ours}]", guarded, _RELATION)

    def literal(self, numeric: bool) -> Pair:
        if not numeric:
            return self.quoted(self.pick(WORDS))
        value = self.pick([0, 1, 2, 2.5, -1])
        return Pair(str(value), str(float(value)))

    def contained(self) -> Pair:
        needle = self.pick(
            [self.literal(numeric=True), self.literal(numeric=False), self.literal(numeric=False)]
        )
        within = self.variable(LISTS, "l")
        asked = f"type({within.cel}) == list || type({needle.cel}) == string"
        guarded = f"({asked} ? {needle.cel} in {within.cel} : {FAILS})"
        return Pair(f"{needle.ours} in {within.ours}", guarded, _RELATION)

    def flag(self) -> Pair:
        return self.variable(FLAGS, "b")

    def present(self) -> Pair:
        if self.element and self.source.random() < 0.5:
            return same(f"has({self.pick(self.element)}.{self.pick(['n', 's', 'b'])})")
        names = [
            name
            for names in (NUMBERS, TEXTS, FLAGS, LISTS)
            for name in names
            if "." in name and "[" not in name
        ]
        return same(f"has({self.pick(names)})")

    def nulled(self) -> Pair:
        name = self.variable(self.pick([NUMBERS, TEXTS, FLAGS]), "n")
        return join(self.pick(["==", "!="]), name, Pair("null", "null"), _RELATION)

    def textual(self) -> Pair:
        subject = self.variable(TEXTS, "s")
        if self.source.random() < 0.3:
            pattern = json.dumps(self.pick(PATTERNS), ensure_ascii=False)
            return Pair(f"{subject.ours}.matches({pattern})", f"{subject.cel}.matches({pattern})")
        function, argument = self.pick(["startsWith", "endsWith", "contains"]), self.text()
        return Pair(
            f"{subject.ours}.{function}({argument.ours})", f"{subject.cel}.{function}({argument.cel})"
        )

    def moment(self) -> Pair:
        kind = self.source.random()
        if kind < 0.3:
            return Pair("now", "now")
        if kind < 0.5:
            written = f'timestamp("{self.pick(MOMENTS[:3])}")'
            return Pair(written, written)
        if kind < 0.7:
            span = f'duration("{self.pick(SPANS)}")'
            return join(self.pick(["+", "-"]), self.moment(), Pair(span, span), _SUM)
        name = self.pick(TIMES)
        seconds = f"(double(int({name})) == {name} ? timestamp(int({name})) : {FAILS})"
        return Pair(f"timestamp({name})", f"(type({name}) == double ? {seconds} : timestamp({name}))")

    def timed(self) -> Pair:
        operator = self.pick(["<", "<=", ">", ">=", "==", "!="])
        kind = self.source.random()
        if kind < 0.5:
            return join(operator, self.moment(), self.moment(), _RELATION)
        if kind < 0.7:
            span = f'duration("{self.pick(SPANS)}")'
            return join(operator, join("-", self.moment(), self.moment(), _SUM), Pair(span, span), _RELATION)
        part, zone = (
            self.pick(["getHours", "getDayOfWeek", "getMonth", "getDayOfYear", "getDate"]),
            self.pick(ZONES),
        )
        at = self.moment().within(_MEMBER)
        value = self.source.randint(0, 12)
        written = f'{at.ours}.{part}("{zone}")'
        return Pair(
            f"{written} {operator} {value}",
            f'double({at.cel}.{part}("{zone}")) {operator} {value}.0',
            _RELATION,
        )

    def macro(self, depth: int) -> Pair:
        walked = self.pick([*LISTS, *RECORDS, *(f"{element}.l" for element in self.element)])
        name = "ef"[len(self.element)]
        self.element.append(name)
        inner = self.condition(min(depth - 1, 2))
        mapped = self.variable(NUMBERS, "n")
        self.element.pop()
        if self.source.random() < 0.75:
            kind = self.pick(["exists", "all", "exists_one"])
            return Pair(f"{walked}.{kind}({name}, {inner.ours})", f"{walked}.{kind}({name}, {inner.cel})")
        if self.source.random() < 0.5:
            ours, theirs = (f"size({walked}.filter({name}, {own}))" for own in inner[:2])
        else:
            parts = self.pick([(inner.ours, inner.cel), ("", "")])
            ours, theirs = (
                f"size({walked}.map({name}, {own + ', ' if own else ''}{to}))"
                for own, to in zip(parts, mapped[:2], strict=True)
            )
        return Pair(f"{ours} >= 1", f"double({theirs}) >= 1.0", _RELATION)
