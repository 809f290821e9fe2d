"""Random conditions and random data: our answer beside "the value is exactly true" of cel-expr-python.

    python tests/rules/language/differential.py --cases 100000 --seed 1

Where the languages differ by design, the oracle is asked the question that we mean:
- Numbers are one type: the oracle gets doubles only. Arithmetic is exact: numbers are quarters, divisors 2 and
  4, so that doubles are exact too.
- What is of the wrong type is an error, also under `==`, `!=` and `in` a list of constants, where CEL says
  "not equal": the oracle's comparison asks for equal types first.
- true and false are no numbers: cel-cpp converts them with int(); that an object lacks a key which is not
  text is an error, cel-cpp says it does.
- History is a variable of the oracle.
Its errors are values that are truthy, or exceptions: only `.value() is True` is true.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from adapter.rules.index import Index
from adapter.rules.language import ExpressionError, Metric, Names, Node, View, compile, parse  # noqa: A004

Evaluate = Callable[[Node, View], bool]

NOW = datetime(2026, 3, 29, 11, 30, 15, tzinfo=UTC)
NUMBERS = ["n1", "n2", "attributes.n3", "user.n4", "context.n5", "user.deep.n6"]
TEXTS = ["s1", "s2", "attributes.s3", "user.s4", "user.deep.s5", 'user.deep["s 6"]']
FLAGS = ["b1", "attributes.b2", "user.deep.b3"]
LISTS = ["l1", "attributes.l2", "user.deep.l3"]
RECORDS = ["items", "attributes.items"]
TIMES = ["t1", "attributes.t2"]
WORDS = ["a", "US", "us", "", "vip", "πέντε", "😀!", "12", "-3", "12.5", "x y", 'q"q', "b\\s", "line\nend"]
MOMENTS = ["2026-03-29T11:00:00Z", "2026-03-28T12:30:00+02:00", "2020-02-29T23:59:59.5Z", "2026-13-01T00:00:00Z", "x"]
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
        if kind < 0.9 and not self.element:
            return self.macro(depth)
        return self.leaf()

    def chain(self, operator: str, level: int, depth: int) -> Pair:
        made = self.condition(depth - 1)
        for _ in range(self.source.randint(1, 3)):
            made = join(operator, made, self.condition(depth - 1), level)
        return made

    def leaf(self) -> Pair:
        makers = [self.compared, self.compared, self.compared, self.equated, self.equated, self.listed, self.listed,
                  self.contained, self.flag, self.present, self.nulled, self.textual, self.timed, self.alike]  # fmt: skip
        return self.pick(makers)()

    def variable(self, names: list[str], field: str) -> Pair:
        if self.element and self.source.random() < 0.6:
            return Pair(*[self.pick([f"e.{field}", "e"])] * 2)
        return Pair(*[self.pick(names)] * 2)

    def number(self, depth: int = 2) -> Pair:
        kind = self.source.random()
        if kind < 0.25:
            value = self.pick([0, 1, 2, 3, 12, 0.25, 2.5, 100, 7.75])
            return Pair(str(value), str(float(value)))
        if kind < 0.3:
            return Pair(f"-{(inner := self.variable(NUMBERS, 'n').within(_MEMBER)).ours}", f"-{inner.cel}", _UNARY)
        if kind < 0.4:
            return self.sized()
        if kind < 0.5:
            return self.metric()
        if kind < 0.58:
            return self.converted()
        if depth > 0 and kind < 0.75:
            return self.computed(depth)
        return self.variable(NUMBERS, "n")

    def computed(self, depth: int) -> Pair:
        left = self.number(depth - 1)
        operator = self.pick(["+", "-", "*", "/", "%"])
        if operator == "%":
            by = self.source.randint(2, 5)
            one = left.within(_PRODUCT)
            whole = f"(double(int({left.cel})) == {left.within(_SUM).cel} ? double(int({left.cel}) % {by}) : {FAILS})"
            return Pair(f"{one.ours} % {by}", whole, _PRODUCT)
        right = Pair("4", "4.0") if operator == "/" else self.number(depth - 1)
        return join(operator, left, right, _SUM if operator in "+-" else _PRODUCT)

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
            inner, function = self.variable(TEXTS, "s"), self.pick(["lowerAscii", "upperAscii"])
            return Pair(f"{inner.ours}.{function}()", f"{inner.cel}.{function}()")
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
        left, right = self.pick([(self.number(), self.number()), (self.text(), self.text()),
                                 (self.variable(NUMBERS, "n"), self.number()), (self.variable(TEXTS, "s"), self.text()),
                                 (self.variable(FLAGS, "b"), Pair(*[self.pick(["true", "false"])] * 2))])  # fmt: skip
        return self.strict(self.pick(["==", "!="]), left, right)

    def alike(self) -> Pair:
        some = [self.variable(names, field) for names, field in ((LISTS, "l"), (RECORDS, "l"), (TEXTS, "s"))]
        return self.strict(self.pick(["==", "!="]), self.pick(some), self.pick(some))

    def strict(self, operator: str, left: Pair, right: Pair) -> Pair:
        joined = join(operator, left, right, _RELATION)
        guarded = f"(type({left.cel}) == type({right.cel}) ? dyn({left.cel}) {operator} {right.within(_SUM).cel} : {FAILS})"
        return Pair(joined.ours, guarded, joined.level)

    def listed(self) -> Pair:
        numeric = self.source.random() < 0.4
        left = self.variable(NUMBERS, "n") if numeric else self.variable(TEXTS, "s")
        items = [self.literal(numeric) for _ in range(self.source.randint(1, 4))]
        ours, theirs = (", ".join(item[side] for item in items) for side in (0, 1))
        guarded = f"(type({left.cel}) == type({items[0].cel}) ? {left.cel} in [{theirs}] : {FAILS})"
        return Pair(f"{left.ours} in [{ours}]", guarded, _RELATION)

    def literal(self, numeric: bool) -> Pair:  # noqa: FBT001
        if not numeric:
            return self.quoted(self.pick(WORDS))
        value = self.pick([0, 1, 2, 2.5, -1])
        return Pair(str(value), str(float(value)))

    def contained(self) -> Pair:
        needle = self.pick([self.literal(numeric=True), self.literal(numeric=False), self.literal(numeric=False)])
        within = self.variable(LISTS, "l")
        guarded = f"(type({within.cel}) == list || type({needle.cel}) == string ? {needle.cel} in {within.cel} : {FAILS})"
        return Pair(f"{needle.ours} in {within.ours}", guarded, _RELATION)

    def flag(self) -> Pair:
        return self.variable(FLAGS, "b")

    def present(self) -> Pair:
        if self.element and self.source.random() < 0.5:
            return Pair(*[f"has(e.{self.pick(['n', 's', 'b'])})"] * 2)
        names = [name for names in (NUMBERS, TEXTS, FLAGS, LISTS) for name in names if "." in name and "[" not in name]
        return Pair(*[f"has({self.pick(names)})"] * 2)

    def nulled(self) -> Pair:
        name = self.variable(self.pick([NUMBERS, TEXTS, FLAGS]), "n")
        return join(self.pick(["==", "!="]), name, Pair("null", "null"), _RELATION)

    def textual(self) -> Pair:
        subject = self.variable(TEXTS, "s")
        if self.source.random() < 0.3:
            pattern = json.dumps(self.pick(PATTERNS), ensure_ascii=False)
            return Pair(f"{subject.ours}.matches({pattern})", f"{subject.cel}.matches({pattern})")
        function, argument = self.pick(["startsWith", "endsWith", "contains"]), self.text()
        return Pair(f"{subject.ours}.{function}({argument.ours})", f"{subject.cel}.{function}({argument.cel})")

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
        return Pair(f"timestamp({name})", f"timestamp({name})")

    def timed(self) -> Pair:
        operator = self.pick(["<", "<=", ">", ">=", "==", "!="])
        kind = self.source.random()
        if kind < 0.5:
            return join(operator, self.moment(), self.moment(), _RELATION)
        if kind < 0.7:
            span = f'duration("{self.pick(SPANS)}")'
            return join(operator, join("-", self.moment(), self.moment(), _SUM), Pair(span, span), _RELATION)
        part, zone = self.pick(["getHours", "getDayOfWeek", "getMonth", "getDayOfYear", "getDate"]), self.pick(ZONES)
        at = self.moment().within(_MEMBER)
        value = self.source.randint(0, 12)
        written = f'{at.ours}.{part}("{zone}")'
        return Pair(f"{written} {operator} {value}", f'double({at.cel}.{part}("{zone}")) {operator} {value}.0', _RELATION)

    def macro(self, depth: int) -> Pair:
        walked = self.pick(LISTS + RECORDS)
        self.element = ["e"]
        inner = self.condition(min(depth - 1, 2))
        mapped = self.variable(NUMBERS, "n")
        self.element = []
        if self.source.random() < 0.75:
            kind = self.pick(["exists", "all", "exists_one"])
            return Pair(f"{walked}.{kind}(e, {inner.ours})", f"{walked}.{kind}(e, {inner.cel})")
        if self.source.random() < 0.5:
            ours, theirs = (f"size({walked}.filter(e, {own}))" for own in inner[:2])
        else:
            parts = self.pick([(inner.ours, inner.cel), ("", "")])
            ours, theirs = (
                f"size({walked}.map(e, {own + ', ' if own else ''}{to}))"
                for own, to in zip(parts, mapped[:2], strict=True)
            )
        return Pair(f"{ours} >= 1", f"double({theirs}) >= 1.0", _RELATION)


class Data(NamedTuple):
    """What one evaluation sees."""

    attributes: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    history: dict[str, Any]


def data(source: random.Random) -> Data:
    """Return random data: most of the right type, some missing, some wrong."""
    attributes = _object(source, ["n1", "n2", "n3", "s1", "s2", "s3", "b1", "b2", "l1", "l2", "items", "t1", "t2"])
    traits = _object(source, ["n1", "n4", "s2", "s4", "b1", "l1", "deep"])
    context = _object(source, ["n2", "n5", "s1", "t1", "items"])
    names = [f"{kind}_{event}" for kind in ("count", "sum", "avg") for event in EVENTS]
    history = {name: _number(source) for name in names if source.random() < 0.7}
    return Data(attributes, traits, context, history)


def _object(source: random.Random, names: list[str]) -> dict[str, Any]:
    return {name: _value(source, name) for name in names if source.random() < 0.8}


def _number(source: random.Random) -> float | int:
    return source.choice([0, 1, 2, 3, 12, -1, 0.25, 2.5, 100, 7.75, -0.5])


def _value(source: random.Random, name: str) -> Any:
    if source.random() < 0.13:
        return source.choice([None, True, False, 3, 2.5, "a", "12", [], ["a"], {}, {"a": 1}, [1, "a", None]])
    makers: dict[str, Callable[[], Any]] = {
        "n": lambda: _number(source),
        "s": lambda: source.choice(WORDS),
        "b": lambda: source.random() < 0.5,
        "t": lambda: source.choice(MOMENTS),
        "l": lambda: [_value(source, source.choice("ssn")) for _ in range(source.randint(0, 4))],
        "i": lambda: [_object(source, ["n", "s", "b", "l"]) for _ in range(source.randint(0, 3))],
        "d": lambda: _object(source, ["n6", "s5", "s 6", "b3", "l3"]),
    }
    return makers[name[0]]()


def doubles(value: Any) -> Any:
    """Return data for the oracle: every number a double."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, dict):
        return {key: doubles(one) for key, one in value.items()}
    return [doubles(one) for one in value] if isinstance(value, list) else value


class Oracle:
    """cel-expr-python, asked whether a value is exactly true."""

    def __init__(self) -> None:
        objects = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        names: dict[str, Any] = dict.fromkeys(("attributes", "user", "context"), objects)
        names |= dict.fromkeys(BARE, cel.Type.DYN)
        names |= {f"h_{kind}_{event}": cel.Type.DYN for kind in ("count", "sum", "avg") for event in EVENTS}
        self.environment = cel.NewEnv(
            variables=names | {"now": cel.Type.TIMESTAMP}, extensions=[ext_strings.ExtStrings()]
        )

    def activation(self, seen: Data) -> Any:
        parts = [doubles(part) for part in (seen.attributes, seen.traits, seen.context)]
        given: dict[str, Any] = dict(zip(("attributes", "user", "context"), parts, strict=True))
        for name in BARE:
            given |= next(({name: part[name]} for part in parts if name in part), {})
        given |= {f"h_{name}": doubles(value) for name, value in seen.history.items()}
        return self.environment.Activation(given | {"now": NOW})

    def compile(self, text: str) -> Callable[[Any], bool]:
        program = self.environment.compile(text)

        def exactly_true(activation: Any) -> bool:
            try:
                return program.eval(activation).value() is True
            except RuntimeError:
                return False

        return exactly_true


def view(seen: Data) -> View:
    def history(metric: Metric) -> Any:
        return seen.history.get(f"{metric.kind}_{metric.event}")

    return View(seen.attributes, seen.traits, seen.context, "checkout_started", NOW - timedelta(0), NOW, history)


class Case(NamedTuple):
    """One comparison that came out differently."""

    pair: Pair
    seen: Data
    expected: bool
    by: str

    def __str__(self) -> str:
        return f"{self.by}: expected {self.expected} of\n  {self.pair.ours}\n  {self.pair.cel}\n  {self.seen}"


def _parsed(pair: Pair) -> Node | None:
    try:
        return parse(pair.ours, Names())
    except ExpressionError as error:
        if "more than" in error.message or "longer than" in error.message:
            return None  # over a limit for authors, not wrong
        raise AssertionError(f"{pair.ours}: {error}") from error


def _compiled(node: Node, seen: View) -> bool:
    return compile(node)(seen)


def differences(
    cases: int, seed: int, evaluate: Evaluate = _compiled, *, index: bool = True
) -> Iterator[Case | bool]:
    """Yield for each case the difference, or else what both sides said."""
    source = random.Random(seed)
    generator, oracle = Generator(source), Oracle()
    done = 0
    while done < cases:
        parsed = [(pair, node) for pair in (generator.condition() for _ in range(40)) if (node := _parsed(pair))]
        pairs, nodes = [pair for pair, _ in parsed], [node for _, node in parsed]
        programs = [oracle.compile(pair.cel) for pair in pairs]
        matched = Index(nodes) if index else None
        for seen in [data(source) for _ in range(25)]:
            activation, ours = oracle.activation(seen), view(seen)
            mask = matched.match(view(seen)) if matched else 0
            for bit, (pair, node, program) in enumerate(zip(pairs, nodes, programs, strict=True)):
                expected = program(activation)
                done += 1
                if evaluate(node, ours) is not expected:
                    yield Case(pair, seen, expected, "compiled")
                elif matched and bool(mask >> bit & 1) is not expected:
                    yield Case(pair, seen, expected, "index")
                else:
                    yield expected


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = list(differences(arguments.cases, arguments.seed))
    wrong = [case for case in found if isinstance(case, Case)]
    for case in wrong[:5]:
        print(case)  # noqa: T201
    print(f"{len(found)} cases of seed {arguments.seed}: {found.count(True)} true, {len(wrong)} different")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
