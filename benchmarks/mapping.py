"""Compiled mappings beside the reference in Node, and many subscriptions beside few, in one run.

Installs npm @segment/actions-core into build/node (once), checks that both sides give the same result,
then lets them take turns: a slice of Node's `transform`, a slice of ours, round after round, one thread each.
Ratios are taken inside a round; the median round is reported. Parsing the payload is in neither.

    .venv/bin/python -m benchmarks.mapping                  nine rounds of 0.4 s a slice
    .venv/bin/python -m benchmarks.mapping --rounds 3 --seconds 0.2

Aim: 10 times the reference on each mapping, and 200 subscriptions for less than twice the cost of 20.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapter import mapping
from adapter.mapping.subscriptions import SubscriptionIndex, parse

HERE = Path(__file__).parent
CASES = HERE / "mapping.json"
NODE = HERE.parent / "build" / "node"
PACKAGES = ("@segment/actions-core@3.170.0", "liquidjs@10.27.2")


def main() -> None:
    arguments = _arguments()
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    with _node() as node:
        reference = _Reference(node)
        figures = {}
        for place, case in enumerate(cases):
            figures[f"ratio_{case['name']}"] = _compared(reference, place, case, arguments)
    figures["match_200_over_20"] = _matching(arguments, cases[0]["payload"])
    print(json.dumps(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.4)
    return parser.parse_args()


def _node() -> subprocess.Popen[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit("node and npm are needed for the reference: install Node 20 or later")
    if not (NODE / "node_modules" / "liquidjs").is_dir():
        NODE.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(NODE), "--no-audit", "--no-fund", *PACKAGES]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    command = [node, str(HERE / "mapping.mjs"), str(NODE / "package.json"), str(CASES)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class _Reference:
    def __init__(self, node: subprocess.Popen[str]) -> None:
        self.node = node

    def ask(self, **request: Any) -> Any:
        assert self.node.stdin is not None
        assert self.node.stdout is not None
        self.node.stdin.write(json.dumps(request) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())


def _compared(
    reference: _Reference, place: int, case: dict[str, Any], arguments: argparse.Namespace
) -> float:
    transform = mapping.compile(case["mapping"])
    payload = case["payload"]
    theirs_result, ours_result = reference.ask(case=place), transform(payload)
    if theirs_result != ours_result:
        sys.exit(f"{case['name']}: the reference gives {theirs_result!r}, we give {ours_result!r}")
    reference.ask(case=place, seconds=arguments.seconds)  # lets V8 warm up
    rounds = []
    for _ in range(arguments.rounds):
        theirs = reference.ask(case=place, seconds=arguments.seconds)
        rounds.append((_rate(transform, payload, arguments.seconds), theirs))
    ours = statistics.median(rate for rate, _ in rounds)
    theirs = statistics.median(rate for _, rate in rounds)
    ratio = statistics.median(rate / other for rate, other in rounds)
    print(f"{case['name']:9} ours {ours:12,.0f}/s   reference {theirs:10,.0f}/s   ratio {ratio:5.1f}")
    return round(float(ratio), 1)


def _rate(run: Callable[[dict[str, Any]], Any], payload: dict[str, Any], seconds: float) -> float:
    count = 0
    start = now = time.perf_counter()
    while now < start + seconds:
        for _ in range(500):
            run(payload)
        count += 500
        now = time.perf_counter()
    return count / (now - start)


def _matching(arguments: argparse.Namespace, message: dict[str, Any]) -> float:
    few, many = (SubscriptionIndex([parse(text) for text in _subscriptions(count)]) for count in (20, 200))
    rounds = []
    for _ in range(arguments.rounds):
        of_few = _rate(few.candidates, message, arguments.seconds)
        of_many = _rate(many.candidates, message, arguments.seconds)
        rounds.append((of_few / of_many, of_few, of_many))
    ratio, of_few, of_many = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"matching  20 subscriptions {of_few:12,.0f}/s   200 {of_many:10,.0f}/s   cost ratio {ratio:5.2f}")
    return round(float(ratio), 2)


def _subscriptions(count: int) -> list[str]:
    """A shop's book: one page, identify and catch-all mapping each, the rest one track event each."""
    fixed = [
        'type = "identify"',
        'type = "page" or type = "screen"',
        'type = "track" and properties.total > 50 and event != "Order Refunded"',
        'type = "track" and event = "Order Completed"',
        'type = "track" and (event = "Order Completed" or event = "Order Updated")',
    ]
    named = [f'type = "track" and event = "Feature {place} Used"' for place in range(count - len(fixed))]
    return [*named, *fixed]


if __name__ == "__main__":
    main()
