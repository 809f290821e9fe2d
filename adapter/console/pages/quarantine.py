"""Quarantine: messages grouped by why they are there; replayed or discarded one by one, by group, or all."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.console.access.forgery import is_sealed, sealed_url
from adapter.console.context import ConsoleContext
from adapter.console.filters import url
from adapter.console.page import Action, Done, Page
from adapter.console.visitor import Visitor
from adapter.errors import NotFound, Unreadable
from adapter.services.quarantine_groups import GroupMembers, Groups, grouped, members
from adapter.services.quarantine_removal import RemovalFilter, remove_slice
from adapter.services.replay import ReplayOptions, Shown, replay_slice, shown

_HOME: Final = "/console/quarantine"
#: Messages that one form replays; the next one goes on.
_MOST: Final = 50


class QuarantineQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the search of an earlier page ended."""

    before: int | None = None


class GroupsView(Struct, frozen=True):
    """Groups of messages, and whether these are all; `waiting` says how far older messages were left out."""

    found: Groups
    first_page: bool


class GroupQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which group; all messages where it is empty."""

    group: str = ""


class GroupView(Struct, frozen=True):
    """One group with its latest messages; of `group` empty all messages. `count` is of those looked at."""

    group: str
    reason: str
    source: str
    count: int
    more: bool
    members: GroupMembers | None


class MessageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which message."""

    id: int


class MessageView(Struct, frozen=True):
    """A quarantined message, whole."""

    id: int
    source: str
    key: str
    reason: str
    received_at: datetime
    replayed: bool
    document: Raw


class ReplayForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What to replay: one message, a group, or all; and how far a replay in slices has come."""

    id: int | None = None
    group: str = ""
    everything: bool = False
    drop_ignored: bool = False
    after: int = 0
    upto: int | None = None
    passed: int = 0
    stayed: int = 0


class DiscardForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What to discard, and why; and how far that has come."""

    reason: str = ""
    id: int | None = None
    group: str = ""
    everything: bool = False
    after: int = 0
    upto: int | None = None
    removed: int = 0


class ProgressQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How far a replay or a removal in slices has come: the form that goes on with it.

    Without the `seal` of the act that led here nothing goes on: the page does so by itself, and anybody can
    make a visitor open a link.
    """

    act: str = "replay"
    group: str = ""
    everything: bool = False
    drop_ignored: bool = False
    after: int = 0
    upto: int = 0
    passed: int = 0
    stayed: int = 0
    removed: int = 0
    reason: str = ""
    seal: str = ""


class Progress(Struct, frozen=True):
    """How far an act in slices has come; `fraction` is of the ids that there are."""

    asked: ProgressQuery
    path: str
    fraction: float


async def _groups(context: ConsoleContext, query: QuarantineQuery, _visitor: Visitor) -> GroupsView:
    return GroupsView(await grouped(context.store, context.patience, query.before), query.before is None)


async def _group(context: ConsoleContext, query: GroupQuery, _visitor: Visitor) -> GroupView:
    if not query.group:
        found = await grouped(context.store, context.patience)
        return GroupView("", "all messages", "", found.looked_at, found.next is not None, None)
    one = await members(context.store, context.patience, query.group)
    if one.group is None:
        raise NotFound("no message of this group is in quarantine any more, or its messages are older")
    return GroupView(query.group, one.group.reason, one.group.source, one.group.count, one.more, one)


async def _message(context: ConsoleContext, query: MessageQuery, _visitor: Visitor) -> MessageView:
    kept = await context.web.discounts.quarantined_message(query.id)
    return MessageView(
        kept.id, kept.source, kept.key, kept.reason, kept.received_at, kept.replayed, kept.document
    )


async def _replay(context: ConsoleContext, form: ReplayForm, visitor: Visitor) -> Done:
    _expect_one(form.id, form.group, everything=form.everything)
    ids = frozenset[int]() if form.id is None else frozenset({form.id})
    options = ReplayOptions(ids, None, False, form.drop_ignored, form.group or None)
    after = form.after if form.id is None else form.id - 1
    upto = form.upto if form.id is None else form.id
    done = await replay_slice(
        context.store, context.web.ingest, options, after, upto, most=_MOST, operations=context.operations
    )
    replayed = [shown(one) for one in done.replayed]
    stayed = form.stayed + sum(each.stays for each in replayed)
    passed = form.passed + len(replayed) - sum(each.stays for each in replayed)
    return Done(
        message=_said(passed, stayed, replayed, goes_on=done.next is not None),
        back=_back_of_replay(
            form,
            ProgressQuery(
                group=form.group, everything=form.everything, drop_ignored=form.drop_ignored,
                after=done.next or 0, upto=done.upto, passed=passed, stayed=stayed,
            ),
            visitor,
            goes_on=done.next is not None,
        ),
        subject=_subject(form.id, form.group),
        after=[_brief(each) for each in replayed],
    )  # fmt: skip


def _said(passed: int, stayed: int, replayed: list[Shown], *, goes_on: bool) -> str:
    begun = "So far " if goes_on else ""
    text = f"{begun}{passed} messages were replayed, and {stayed} stay in quarantine."
    why = next((each.reason for each in replayed if each.stays and each.reason), None)
    return f"{text} The first that stays: {why}" if why else text


def _back_of_replay(form: ReplayForm, state: ProgressQuery, visitor: Visitor, *, goes_on: bool) -> str:
    if form.id is not None and state.stayed:
        return url(f"{_HOME}/message", id=form.id)
    if form.id is not None or not goes_on:
        return _HOME
    return sealed_url(visitor, f"{_HOME}/progress", state)


def _brief(each: Shown) -> dict[str, object]:
    """Return what the audit log keeps of a replayed message: not its document."""
    return {"id": each.id, "outcome": each.outcome, "stays": each.stays, "reason": each.reason}


async def _discard(context: ConsoleContext, form: DiscardForm, visitor: Visitor) -> Done:
    _expect_one(form.id, form.group, everything=form.everything)
    ids = frozenset[int]() if form.id is None else frozenset({form.id})
    which = RemovalFilter(ids, everything=form.everything, group=form.group or None)
    after = form.after if form.id is None else form.id - 1
    upto = form.upto if form.id is None else form.id
    done = await remove_slice(context.store, which, form.reason, after, upto, dry_run=False)
    removed = form.removed + done.removed
    following = None if form.id is not None else done.next
    state = ProgressQuery(
        act="discard", group=form.group, everything=form.everything, after=following or 0, upto=done.upto,
        removed=removed, reason=form.reason,
    )  # fmt: skip
    back = _HOME if following is None else sealed_url(visitor, f"{_HOME}/progress", state)
    begun = "" if following is None else "So far "
    return Done(
        message=f"{begun}{removed} messages were discarded: {form.reason}",
        back=back,
        subject=_subject(form.id, form.group),
        before={"removed": form.removed},
        after={"removed": removed, "reasons": done.reasons, "because": form.reason},
    )


def _expect_one(id_: int | None, group: str, *, everything: bool) -> None:
    if sum((id_ is not None, bool(group), everything)) != 1:
        raise Unreadable("name one message by `id`, a `group`, or `everything`")


def _subject(id_: int | None, group: str) -> str:
    if id_ is not None:
        return f"message {id_}"
    return f"group {group}" if group else "all messages"


async def _progress(context: ConsoleContext, query: ProgressQuery, visitor: Visitor) -> Progress:
    if not is_sealed(visitor, replace(query, seal=""), query.seal):
        query = ProgressQuery()
    path = f"{_HOME}/discard" if query.act == "discard" else f"{_HOME}/replay"
    oldest = await context.store.oldest_quarantine_reasons(limit=1)
    first = min((each.id for each in oldest), default=query.after)
    whole = max(query.upto - min(first, query.after) + 1, 1)
    return Progress(query, path, max(0.0, min(1.0, (query.after - min(first, query.after)) / whole)))


PAGES: Final = (
    Page(
        path=_HOME,
        template="quarantine.html",
        title="Quarantine",
        nav="Quarantine",
        view=_groups,
        query=QuarantineQuery,
        fragments=("groups",),
    ),
    Page(
        path=f"{_HOME}/group",
        template="quarantine_group.html",
        title="Group of messages",
        view=_group,
        statuses=(404,),
        query=GroupQuery,
    ),
    Page(
        path=f"{_HOME}/message",
        template="quarantine_message.html",
        title="Quarantined message",
        view=_message,
        statuses=(404,),
        query=MessageQuery,
    ),
    Page(
        path=f"{_HOME}/progress",
        template="quarantine_progress.html",
        title="In progress",
        role="operate",
        view=_progress,
        query=ProgressQuery,
    ),
)
ACTIONS: Final = (
    Action(path=f"{_HOME}/replay", title="Replay quarantined messages", form=ReplayForm, run=_replay),
    Action(path=f"{_HOME}/discard", title="Discard quarantined messages", form=DiscardForm, run=_discard),
)
