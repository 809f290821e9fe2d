"""Simulations: started, watched, compared, and kept."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from msgspec import Struct
from starlette.responses import HTMLResponse, Response

from adapter.console.context import ConsoleContext
from adapter.console.decoding import moment_of
from adapter.console.filters import url
from adapter.console.forms import plain_text
from adapter.console.page import Action, Done, Download, Page
from adapter.console.pages.simulation_plots import Plot, days_of, sweeps_of
from adapter.console.visitor import Visitor
from adapter.errors import NotFound, Unreadable
from adapter.model.simulations import SimulationRun
from adapter.services.playground import drafts as files
from adapter.services.simulation.page import page as own_page
from adapter.services.simulation.report import BookReport, ComparisonReport, RuleReport
from adapter.services.simulation_runs.results import FinishedSimulation
from adapter.services.simulation_runs.service import KEPT, RunRequest

_PAGE: Final = 25
#: Rules of a report that are shown, those that issue most first.
_MOST_RULES: Final = 50


class SimulationsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which simulations: those before a time and an id. `file` and `rule` fill the form."""

    before: str = ""
    file: str = ""
    rule: str = ""


class RunShown(Struct, frozen=True):
    """One simulation in a list."""

    id: str
    title: str
    state: str
    since: str
    created_at: datetime
    who: str
    decided: int
    messages: int
    what_if: tuple[str, ...]
    error: str

    @classmethod
    def of(cls, run: SimulationRun) -> RunShown:
        """Return a simulation without the texts of its drafts."""
        asked = run.asked
        return cls(
            run.id, asked.title, run.state, asked.since, run.created_at, asked.who, run.decided, run.messages,
            asked.what_if, run.error,
        )  # fmt: skip


class Simulations(Struct, frozen=True):
    """The list, and what the form begins with: the draft file `name` and its text."""

    runs: list[RunShown]
    next: str
    kept: int
    running: bool
    names: list[str]
    name: str
    text: str
    rule: str


class SimulationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which simulation, and which one it is compared with."""

    id: str
    other: str = ""


class RuleShown(Struct, frozen=True):
    """One rule of a report, and the same rule in the other book, if it is there."""

    rule: RuleReport
    was: int | None
    plot: Plot


class BookShown(Struct, frozen=True):
    """One book: `rules` are the first ones, of `rule_count`."""

    name: str
    issued: int
    customers: int
    liability: dict[str, str]
    rule_count: int
    rules: list[RuleShown]
    overlap: list[tuple[str, str, int]]


class Result(Struct, frozen=True):
    """What a simulation came to; `before` is the book in force, where a draft is beside it."""

    start: datetime
    end: datetime
    messages: int
    earlier: int
    seconds: float
    shown: BookShown
    before: BookShown | None
    comparison: ComparisonReport | None
    days: Plot
    sweeps: list[Plot]
    assumptions: list[str]


class Other(Struct, frozen=True):
    """The simulation that this one is compared with."""

    run: RunShown
    result: Result | None


class Simulation(Struct, frozen=True):
    """One simulation; `others` are those that it can be compared with."""

    run: RunShown
    drafts: dict[str, str]
    whole: bool
    result: Result | None
    other: Other | None
    others: list[RunShown]


class StartForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What is simulated: rules in force, beside a draft of a file `name` where there is a `text`, and others.

    The other drafts have their names in `file_name` and their texts in `file_text`, in the same order. With
    `whole` the drafts are all rules.
    """

    name: str = ""
    text: str = ""
    file_name: list[str] = []
    file_text: list[str] = []
    whole: bool = False
    since: str = "30d"
    title: str = ""
    what_if: str = ""


class RunForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Which simulation."""

    id: str


async def _list(context: ConsoleContext, query: SimulationsQuery, _visitor: Visitor) -> Simulations:
    context.web.require_core()
    runs = await context.authoring.simulations.latest(_before(query.before), _PAGE)
    following = f"{runs[-1].created_at.isoformat()} {runs[-1].id}" if len(runs) == _PAGE else ""
    folders = context.settings.files
    names = await asyncio.to_thread(files.names, folders, "rules")
    text = files.read(folders, "rules", query.file).text if query.file else ""
    return Simulations(
        list(map(RunShown.of, runs)), following, KEPT, any(each.state == "running" for each in runs), names,
        query.file, text, query.rule,
    )  # fmt: skip


def _before(text: str) -> tuple[datetime, str] | None:
    if not text:
        return None
    at, _, id_ = text.partition(" ")
    return moment_of("before", at), id_


async def _one(context: ConsoleContext, query: SimulationQuery, _visitor: Visitor) -> Simulation:
    context.web.require_core()
    service = context.authoring.simulations
    run, simulated = await service.one(query.id)
    other = None
    if query.other:
        other_run, other_simulated = await service.one(query.other)
        other = Other(RunShown.of(other_run), None if other_simulated is None else _result(other_simulated))
    others = [
        each for each in await service.latest(limit=_PAGE) if each.state == "done" and each.id != run.id
    ]
    return Simulation(
        RunShown.of(run), dict(run.asked.drafts), run.asked.whole,
        None if simulated is None else _result(simulated), other, list(map(RunShown.of, others)),
    )  # fmt: skip


def _result(simulated: FinishedSimulation) -> Result:
    report = simulated.report
    shown, before = report.books[-1], report.books[0] if len(report.books) > 1 else None
    return Result(
        report.start, report.end, report.messages, report.before, report.seconds, _book(shown, before),
        None if before is None else _book(before, None), report.comparison, days_of(shown.rules, before),
        sweeps_of(simulated.sweep), report.assumptions,
    )  # fmt: skip


def _book(book: BookReport, before: BookReport | None) -> BookShown:
    was = {} if before is None else {each.rule: each.issued for each in before.rules}
    ranked = sorted(book.rules, key=lambda each: (-each.issued, -each.met, each.rule))[:_MOST_RULES]
    return BookShown(
        book.name, book.issued, book.customers,
        {currency: f"{amount:,.2f}" for currency, amount in sorted(book.liability.items())},
        len(book.rules), [RuleShown(each, was.get(each.rule), days_of([each], None)) for each in ranked],
        list(book.overlap),
    )  # fmt: skip


async def _start(context: ConsoleContext, form: StartForm, visitor: Visitor) -> Done:
    context.web.require_core()
    run = await context.authoring.simulations.start(
        RunRequest(
            since=form.since,
            title=form.title,
            drafts=_drafts(form),
            whole=form.whole,
            what_if=form.what_if.splitlines(),
            who=visitor.name,
        )
    )
    return Done(
        message="The simulation runs, in a process of low priority",
        back=_url(run.id),
        subject=run.asked.title,
        after={
            "since": run.asked.since,
            "drafts": list(run.asked.drafts),
            "whole": run.asked.whole,
            "what_if": run.asked.what_if,
        },
    )


def _drafts(form: StartForm) -> dict[str, str]:
    """Return the drafts by name; raises Unreadable where one has no name, or the name of another."""
    text = plain_text(form.text)
    if text and not form.name:
        raise Unreadable("name the file of the draft, such as `vip.yaml`")
    found = {form.name: text} if text else {}
    if len(form.file_name) != len(form.file_text):
        raise Unreadable("each `file_name` has its `file_text`")
    for name, each in zip(form.file_name, form.file_text, strict=True):
        if name in found:
            raise Unreadable(f"two drafts have the name `{name[:120]}`: leave one of them out")
        found[name] = plain_text(each)
    return found


async def _cancel(context: ConsoleContext, form: RunForm, _visitor: Visitor) -> Done:
    run = await context.authoring.simulations.cancel(form.id)
    return Done(message="The simulation is cancelled", back=_url(run.id), subject=run.asked.title)


async def _delete(context: ConsoleContext, form: RunForm, _visitor: Visitor) -> Done:
    run = await context.authoring.simulations.delete(form.id)
    return Done(message="The simulation is deleted", back="/console/simulations", subject=run.asked.title)


async def _download(context: ConsoleContext, query: RunForm, _visitor: Visitor) -> Response:
    run, simulated = await context.authoring.simulations.one(query.id)
    if simulated is None:
        raise NotFound(f"the simulation is {run.state}, and has no report")
    html = await asyncio.to_thread(own_page, simulated.report, simulated.sweep)
    headers = {
        "content-disposition": f'attachment; filename="simulation-{run.created_at:%Y-%m-%d}.html"',
        "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)


def _url(id_: str) -> str:
    return url("/console/simulation", id=id_)


PAGES: Final = (
    Page(
        path="/console/simulations", template="simulations.html", title="Simulations", nav="Simulations",
        view=_list, query=SimulationsQuery, fragments=("runs",), statuses=(404, 422),
    ),
    Page(
        path="/console/simulation", template="simulation.html", title="Simulation", view=_one,
        query=SimulationQuery, fragments=("state",), statuses=(404,),
    ),
)  # fmt: skip
ACTIONS: Final = (
    Action(path="/console/simulations/start", title="Start a simulation", form=StartForm, run=_start),
    Action(path="/console/simulations/cancel", title="Cancel a simulation", form=RunForm, run=_cancel),
    Action(path="/console/simulations/delete", title="Delete a simulation", form=RunForm, run=_delete),
)
DOWNLOADS: Final = (
    # The file is the same as that of the command, where nothing is masked.
    Download(
        path="/console/simulation.html", respond=_download, query=RunForm, role="operate",
        title="Download a simulation",
    ),
)  # fmt: skip
