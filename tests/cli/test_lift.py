"""`adapter lift`: what rules changed, for people and for programs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.model.customers import Customer
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.events import Event, User
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest, NewEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store where `gift` served 70 customers, 56 of whom bought, and held out 80, 48 of whom did."""
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    asyncio.run(_fill(url))
    return url


async def _fill(url: str) -> None:
    names = [f"u{number}" for number in range(150)]
    buyers = names[:56] + names[70:118]
    changes = Changes(
        seen_at=NOON,
        customers=[CustomerRecord(Customer(name)) for name in names],
        events=[
            NewEvent(
                name, "segment", Event("e", "order_completed", NOON, User(id=name), {"total": 80}, {}), name
            )
            for name in buyers
        ],
        decisions=[_decision(name, "issued" if at < 70 else "control", at) for at, name in enumerate(names)],
    )

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOON)
        await transaction.save(changes)

    store = open_store(url)
    await store.open()
    await store.transact(script)
    await store.close()


def _decision(name: str, outcome: str, at: int) -> Decision:
    variant = None if outcome == "control" else "B" if at < 10 else "A"
    told = RuleOutcome("gift", outcome, "every condition holds", variant=variant)  # type: ignore[arg-type]
    return Decision("e", "checkout_started", name, NOON, "0f", (told,), {})


def run(url: str, *options: str) -> Result:
    return CliRunner().invoke(commands, ["lift", "--store", url, *options])


def test_people_read_both_groups_the_difference_and_how_sure_it_is(url: str) -> None:
    assert run(url).stdout.splitlines() == [
        "gift",
        "  issued   56 of 70 customers (80.0%), worth 4480",
        "  control  48 of 80 customers (60.0%), worth 3840",
        "  lift     +20.0 points of order_completed within 7d (95% sure: +5.2 to +33.4)",
        *run(url).stdout.splitlines()[4:],
    ]


def test_programs_read_json(url: str) -> None:
    [gift] = json.loads(run(url, "--json", "--rule", "gift").stdout)
    assert (gift["rule"], gift["issued"]["converted"], gift["control"]["customers"]) == ("gift", 56, 80)
    assert gift["difference"] == pytest.approx(0.2)
    assert gift["interval"] == pytest.approx([0.0524, 0.3339], abs=1e-4)


def test_variants_are_compared_with_the_control_group_and_with_their_shares(url: str, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "gift.yaml").write_text(
        """
name: gift
trigger: checkout_started
variants:
  - {share: 50, action: {type: percentage_off, value: 10}}
  - {share: 50, action: {type: percentage_off, value: 15}}
"""
    )
    (tmp_path / "adapter.toml").write_text(f"[files]\nrules = '{tmp_path / 'rules'}'\n")
    config = ("--config", str(tmp_path / "adapter.toml"))
    lines = run(url, *config).stdout.splitlines()
    arms = [line.partition("; ") for line in lines[4:6]]
    assert [(arm, against) for arm, _, against in arms] == [
        ("  variant A  46 of 60 customers (76.7%), worth 3680",
         "+16.7 points (95% sure: +0.9 to +30.8) against control"),
        ("  variant B  10 of 10 customers (100.0%), worth 800",
         "+40.0 points (95% sure: +10.5 to +51.0) against control"),
    ]  # fmt: skip
    assert lines[6:] == [
        "  sample ratio mismatch: the variants have other shares of the customers than A 50%, B 50%"
    ]
    [gift] = json.loads(run(url, *config, "--json").stdout)
    assert gift["variants"]["B"]["customers"] == 10
    assert gift["variants"]["B"]["share"] == 50
    assert gift["sample_ratio"]["mismatch"] is True


def test_a_rule_without_decisions_is_reported(url: str) -> None:
    result = run(url, "--rule", "cart-recovery")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no decision has issued or held out anything" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--rule", "gfit"], "no rule is named `gfit`, and no decision names it; did you mean `gift`?"),
        (["--rule", "cart-recvery"], "did you mean `cart-recovery`?"),
        (
            ["--conversion", "order_complted"],
            "no event `order_complted` is stored, and no rule and no",
        ),
        (["--conversion", "order_complted"], "did you mean `order_completed`?"),
    ],
)
def test_an_unknown_name_is_refused(url: str, options: list[str], says: str) -> None:
    result = run(url, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in " ".join(result.stderr.replace("\u2502", " ").split())


def test_the_event_that_counts_may_be_in_any_spelling(url: str) -> None:
    assert run(url, "--conversion", "Order Completed").stdout == run(url).stdout


def test_an_event_of_the_data_model_alone_converts_no_customer(url: str) -> None:
    result = run(url, "--conversion", "order_refunded")
    assert "issued   0 of 70 customers" in result.stdout


def test_an_invalid_time_is_refused(url: str) -> None:
    result = run(url, "--within", "a week")
    assert result.exit_code == 2
    assert "36h" in result.stderr
