"""Rules on one trigger: ours beside a loop over cel-expr-python and two engines of npm, in one run.

Each engine evaluates the same synthetic book (rulebook.py) on the same 512 events; of those that miss
nothing, all must name the same rules, or the run stops. All rules have one priority. Ours is the whole of
one evaluation: the view, the match of every rule, and the best one. The CEL loop has one activation for
each event. The engines of npm are installed into benchmarks/.node (once). Sizes take turns, round after
round; the median round is reported. Reading the event is in none of the figures.

    .venv/bin/python -m benchmarks.rules                    seven rounds of 0.5 s a slice
    .venv/bin/python -m benchmarks.rules --rounds 3 --seconds 0.2 --without-node

Aim: 10,000 rules at most twice the cost of 10, 500 times the CEL loop at 1,000, and a look-up in history that
costs the same after 100,000 events of one customer as after 10.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cel_expr_python import cel

from adapter.model.events import Event, User
from adapter.rules.expressions import EvaluationContext, Metric, Names, parse, reads
from adapter.rules.history.history import History, fold, lookup
from adapter.rules.history.requirements import Metrics
from adapter.rules.index import Index, first, ranked
from benchmarks import grouped_books, rulebook

HERE = Path(__file__).parent
NODE = HERE / ".node"
PACKAGES = {"json-rules-engine": "7.3.1", "json-logic-engine": "5.0.7"}
SIZES = (1, 10, 100, 1_000, 10_000)
#: What the others are asked for: beyond, one event takes them longer than a slice.
CEL_SIZES = (1, 10, 100, 1_000)
NODE_SIZES = {"json_logic": SIZES, "json_rules": (1, 10, 100, 1_000)}
NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
#: Categories of items, of which each order has all: that many figures over chosen events are kept.
CATEGORIES = 5
PLAIN = [
    Metric("count", "order_completed", None, timedelta(days=30)),
    Metric("sum", "order_completed", "total", timedelta(days=90)),
    Metric("avg", "order_completed", "total"),
    Metric("days_since", "order_completed"),
]
NAMES = (*rulebook.NUMBERS, *rulebook.TEXTS, *rulebook.FLAGS, "tags")

Evaluate = Callable[[dict[str, Any]], Any]


def main() -> None:
    arguments = _arguments()
    rules, events = rulebook.rules(max(SIZES)), rulebook.events(512)
    ours = {size: _index(rules[:size]) for size in SIZES}
    loops = {size: _cel(rules[:size]) for size in CEL_SIZES}
    _agree("cel-expr-python", ours[1_000], loops[1_000], events[:128])
    figures = _measured(ours, loops, events, arguments)
    figures["history_100000_over_10"] = _history("figures", PLAIN, arguments)
    figures["filtered_history_100000_over_10"] = _history("filtered figures", _chosen(), arguments)
    figures["filtered_10000_over_10"] = _filtered(rules, events, arguments)
    for kind in grouped_books.KINDS:
        figures[f"{kind}_10000_over_10"] = _grouped(kind, arguments)
    if not arguments.without_node:
        _npm(ours, rules, events, arguments)
    print(json.dumps(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--without-node", action="store_true")
    return parser.parse_args()


def _no_history(metric: Metric) -> None: ...


def _index(rules: Sequence[rulebook.Rule]) -> Index:
    return Index([parse(rule.text(), Names()) for rule in rules], [0] * len(rules))


def _named(index: Index, event: dict[str, Any]) -> list[int]:
    return sorted(index.order[bit] for bit in ranked(index.match(_view(event))))


def _view(event: dict[str, Any]) -> EvaluationContext:
    return EvaluationContext(event, {}, {}, "checkout_started", NOW, NOW, _no_history)


def _cel(rules: Sequence[rulebook.Rule]) -> Evaluate:
    environment = cel.NewEnv(variables=dict.fromkeys(NAMES, cel.Type.DYN))
    programs = [environment.compile(rule.text()) for rule in rules]

    def loop(event: dict[str, Any]) -> list[int]:
        activation = environment.Activation(event)
        found = []
        for place, program in enumerate(programs):
            if program.eval(activation).value() is True:  # an error is a value too, and truthy
                found.append(place)
        return found

    return loop


def _agree(name: str, ours: Index, theirs: Evaluate, events: Sequence[dict[str, Any]]) -> None:
    for event in filter(rulebook.complete, events):
        found = _named(ours, event)
        if found != theirs(event):
            sys.exit(f"{name} names other rules for {event}")


def _measured(
    ours: dict[int, Index],
    loops: dict[int, Evaluate],
    events: Sequence[dict[str, Any]],
    arguments: argparse.Namespace,
) -> dict[str, float]:
    def best(match: Callable[[EvaluationContext], int]) -> Evaluate:
        return lambda event: first(match(_view(event)))

    runs = {("us", size): best(index.match) for size, index in ours.items()}
    runs |= {("cel_us", size): loop for size, loop in loops.items()}
    taken: dict[tuple[str, int], list[float]] = {run: [] for run in runs}
    for _ in range(arguments.rounds):
        for run, evaluate in runs.items():
            taken[run].append(_micros(evaluate, events, arguments.seconds))
    figures = {run: statistics.median(rounds) for run, rounds in taken.items()}
    for size in SIZES:
        theirs = f"   cel-expr-python {figures['cel_us', size]:10,.1f} us" if size in loops else ""
        print(f"{size:6,} rules   ours {figures['us', size]:7.2f} us{theirs}")
    growth = _median_ratio(taken["us", 10_000], taken["us", 10])
    faster = _median_ratio(taken["cel_us", 1_000], taken["us", 1_000])
    print(f"10,000 rules cost {growth:.2f} times 10; at 1,000 the CEL loop takes {faster:,.0f} times as long")
    wanted = (("us", 10), ("us", 1_000), ("us", 10_000), ("cel_us", 1_000))
    return {f"{kind}_{size}": round(figures[kind, size], 2) for kind, size in wanted}


def _median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def _micros(evaluate: Evaluate, events: Sequence[dict[str, Any]], seconds: float) -> float:
    count = 0
    start = now = time.perf_counter()
    while now < start + seconds:
        some = events[count % len(events) :][:64]
        for event in some:
            evaluate(event)
        count += len(some)
        now = time.perf_counter()
    return (now - start) / count * 1e6


def _chosen() -> list[Metric]:
    """Return figures over chosen events: orders of one category each, within a month."""
    conditions = (_category(number) for number in range(CATEGORIES))
    return [reads(parse(condition, Names())).metrics[0] for condition in conditions]


def _category(number: int) -> str:
    chosen = f'order.items.exists(item, item.category == "c{number}")'
    return f'history.count("order_completed", "30d", order, {chosen}) >= 1'


def _grouped(kind: str, arguments: argparse.Namespace) -> float:
    """Return what deciding costs with 10,000 rules of a kind (`grouped_books`), over 10 of them."""
    few, many = (grouped_books.decider(grouped_books.book(kind, size), NOW) for size in (10, 10_000))
    events = grouped_books.events(64)
    rounds = [
        (_micros(many, events, arguments.seconds), _micros(few, events, arguments.seconds))
        for _ in range(arguments.rounds)
    ]
    of_many, of_few = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"10,000 rules with {kind} {of_many:.2f} us, 10 of them {of_few:.2f} us")
    return round(_median_ratio(*zip(*rounds, strict=True)), 2)


def _filtered(
    rules: Sequence[rulebook.Rule], events: Sequence[dict[str, Any]], arguments: argparse.Namespace
) -> float:
    """Return what 10,000 rules cost that each read a figure over chosen events, over 10 such rules."""
    texts = [f"{rule.text()} && {_category(number % CATEGORIES)}" for number, rule in enumerate(rules)]
    past = _past(100, _chosen())

    def match(index: Index) -> Evaluate:
        def history(metric: Metric) -> Any:
            return lookup(past, metric, NOW)

        return lambda event: first(
            index.match(EvaluationContext(event, {}, {}, "checkout_started", NOW, NOW, history))
        )

    few, many = (
        match(Index([parse(text, Names()) for text in texts[:size]], [0] * size)) for size in (10, 10_000)
    )
    rounds = [
        (_micros(many, events, arguments.seconds), _micros(few, events, arguments.seconds))
        for _ in range(arguments.rounds)
    ]
    of_many, of_few = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"10,000 rules over chosen past events {of_many:.2f} us, 10 of them {of_few:.2f} us")
    return round(_median_ratio(*zip(*rounds, strict=True)), 2)


def _history(what: str, asked: Sequence[Metric], arguments: argparse.Namespace) -> float:
    """Return what figures cost after 100,000 events of one customer, over what they cost after 10."""
    few, many = (_past(count, asked) for count in (10, 100_000))
    rounds: list[tuple[float, float, float]] = []

    def taken(past: History) -> float:
        return _micros(
            lambda _: [lookup(past, metric, NOW) for metric in asked], [{}] * 64, arguments.seconds
        )

    for _ in range(arguments.rounds):
        of_few, of_many = taken(few), taken(many)
        rounds.append((of_many / of_few, of_few, of_many))
    ratio, of_few, of_many = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"history: {len(asked)} {what} after 10 events {of_few:.2f} us, after 100,000 {of_many:.2f} us")
    return float(round(ratio, 2))


def _past(count: int, asked: Sequence[Metric]) -> History:
    """Return the history of so many orders over the last year, evenly apart."""
    history, metrics = History(), Metrics(asked)
    for number in range(count):
        at = NOW - timedelta(days=365) * (number + 1) / count
        items = [{"category": f"c{category}"} for category in range(CATEGORIES)]
        attributes = {"total": 19.99, "items": items}
        fold(history, Event(f"e{number}", "order_completed", at, User(), attributes, {}), metrics)
    return history


def _npm(
    ours: dict[int, Index],
    rules: Sequence[rulebook.Rule],
    events: Sequence[dict[str, Any]],
    arguments: argparse.Namespace,
) -> None:
    book = {
        "json_rules": [rule.json_rules() for rule in rules],
        "json_logic": [rule.json_logic() for rule in rules],
        "events": [event for event in events if rulebook.complete(event)][:64],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(book, file)
        file.flush()
        with _node(file.name) as node:
            for engine, sizes in NODE_SIZES.items():
                named = _ask(node, engine=engine, size=1_000)
                found = [_named(ours[1_000], event) for event in book["events"]]
                if named != found:
                    sys.exit(f"{engine} names other rules than we do")
                for size in sizes:
                    taken = _ask(node, engine=engine, size=size, seconds=arguments.seconds)
                    print(f"{size:6,} rules   {engine.replace('_', '-')}-engine {taken:12,.1f} us")


def _node(book: str) -> subprocess.Popen[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit(
            "node and npm are needed for the engines beside ours: install Node 20, or add --without-node"
        )
    if not all((NODE / "node_modules" / name).is_dir() for name in PACKAGES):
        NODE.mkdir(exist_ok=True)
        packages = [f"{name}@{version}" for name, version in PACKAGES.items()]
        command = [npm, "install", "--prefix", str(NODE), "--no-audit", "--no-fund", *packages]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    command = [node, str(HERE / "rules.mjs"), str(NODE / "package.json"), book]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(node: subprocess.Popen[str], **request: Any) -> Any:
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write(json.dumps(request) + "\n")
    node.stdin.flush()
    return json.loads(node.stdout.readline())


if __name__ == "__main__":
    main()
