"""Random conditions and random data: our answer beside "the value is exactly true" of cel-expr-python.

    python -m tests.rules.expressions.differential --cases 100000 --seed 1

Where the languages differ by design, the oracle is asked the question that we mean:
- Numbers are one type: the oracle gets doubles only. Arithmetic is exact: numbers are quarters and the
  divisor is 4, so that doubles are exact too.
- What is of the wrong type is an error, also under `==`, `!=` and `in` a list of constants, where CEL says
  "not equal": the oracle's comparison asks for equal types first.
- true and false are no numbers: cel-cpp converts them with int(); that an object lacks a key which is not
  text is an error, cel-cpp says it does.
- History is a variable of the oracle.
Its errors are values that are truthy, or exceptions: only `.value() is True` is true.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_strings

from adapter.rules.expressions import EvaluationContext, ExpressionError, Metric, Names, Node, compile, parse  # noqa: A004
from adapter.rules.index import Index
from tests.rules.expressions.conditions import BARE, EVENTS, MOMENTS, WORDS, Generator, Pair

Evaluate = Callable[[Node, EvaluationContext], bool]

NOW = datetime(2026, 3, 29, 11, 30, 15, tzinfo=UTC)


class Data(NamedTuple):
    """What one evaluation sees."""

    attributes: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    history: dict[str, Any]


def data(source: random.Random) -> Data:
    """Return random data: most of the right type, some missing, some wrong."""
    attributes = _object(
        source, ["n1", "n2", "n3", "s1", "s2", "s3", "b1", "b2", "l1", "l2", "items", "t1", "t2"]
    )
    traits = _object(source, ["n1", "n4", "s2", "s4", "b1", "l1", "deep"])
    context = _object(source, ["n2", "n5", "s1", "t1", "items"])
    names = [f"{kind}_{event}" for kind in ("count", "sum", "avg") for event in EVENTS]
    history = {name: source.choice([Fraction, lambda number: number])(_number(source))
               for name in names if source.random() < 0.7}  # fmt: skip
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
    if isinstance(value, int | Fraction):
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
            variables=names | {"now": cel.Type.TIMESTAMP},
            extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
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


def view(seen: Data) -> EvaluationContext:
    def history(metric: Metric) -> Any:
        return seen.history.get(f"{metric.kind}_{metric.event}")

    return EvaluationContext(
        seen.attributes, seen.traits, seen.context, "checkout_started", NOW - timedelta(0), NOW, history
    )


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


def _compiled(node: Node, seen: EvaluationContext) -> bool:
    return compile(node)(seen)


def differences(
    cases: int, seed: int, evaluate: Evaluate = _compiled, *, index: bool = True
) -> Iterator[Case | bool]:
    """Yield for each case the difference, or else what both sides said."""
    source = random.Random(seed)
    generator, oracle = Generator(source), Oracle()
    done = 0
    while done < cases:
        parsed = [
            (pair, node) for pair in (generator.condition() for _ in range(40)) if (node := _parsed(pair))
        ]
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
