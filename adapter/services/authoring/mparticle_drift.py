"""What is different at mParticle from the checklist and from the data model, and what could not be compared.

Values that may be secrets are never in the result: of the Authorization Header it says whether it is there,
of other addresses only their host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from adapter.datamodel.declarations import DataModel
from adapter.services.authoring.connect_mparticle import Step, steps
from adapter.services.authoring.mparticle_plan_drift import plan_drift
from adapter.services.authoring.mparticle_types import (
    AppFilters,
    Output,
    Setting,
    Workspace,
)
from adapter.services.authoring.segment_drift import Drift

#: Types of data points that are whole events.
_EVENTS: Final = frozenset({"event", "eventtype", "screenview", "commerce"})
#: The checklist says of it that both values are right.
_EITHER: Final = "Include User Attribute and Identity Change Events"
_UNREADABLE: Final = (
    "whether the Authorization Header is the right one: the API masks it; `adapter doctor` sends a message",
    "rules, forwarding rules and user splits of the connections",
    "the partner module for audiences (Firehose), and the OpenDSR processor",
)


class Compared(Struct, frozen=True):
    """The differences, and in sentences what was not compared."""

    differs: list[Drift]
    not_compared: list[str]


def compare(address: str, found: Workspace, model: DataModel | None, *, development: bool) -> Compared:
    """Compare a workspace with the checklist for this address, and its data plan with the model.

    With `development`, events of the development environment are rewarded.
    """
    wanted = {_folded(label): (label, value) for label, value in _labels(address)}
    ours = [each for each in found.outputs if f"{address}/webhooks/mparticle" in _addresses(each)]
    numbers = _configurations(found, ours)
    connections = [each for each in found.subscriptions if str(each.service_configuration_id) in numbers]
    known = {_folded(each.name) for output in ours for each in output.service.settings}
    return Compared(
        [
            *_of_outputs(address, found, ours),
            *(drift for each in ours for drift in _of_output(each, wanted)),
            *(drift for each in found.filters for drift in _of_filters(each)),
            *_of_feeds(found, development=development),
            *(
                drift
                for each in connections
                for drift in _of_connection(f"feed connection {each.config_name or each.id}", each.is_active,
                                            each.settings, wanted)
            ),
            *plan_drift(found.plan, model),
        ],
        [*_unread(found, ours, wanted, known), *([] if model else [_NO_MODEL]), *_UNREADABLE],
    )  # fmt: skip


_NO_MODEL: Final = "the data plan: there is no model.yaml among the mapping files"


def _labels(address: str) -> Iterator[tuple[str, str]]:
    """Yield the settings of the checklist that are true or false, with their value."""
    for step in steps(address, authorized=True):
        place, _, label = step.where.partition(" > ")
        if place.startswith(("Configuration", "Connection")) and step.write in {"True", "False"}:
            yield from ((each, step.write) for each in _split(step, label))


def _split(step: Step, label: str) -> list[str]:
    """Return the settings that a step names: `Send Screen View and Commerce Events` names two."""
    several = re.fullmatch(r"Send (.+) and (.+) Events", label)
    if label == _EITHER or step.write not in {"True", "False"}:
        return []
    if several is None:
        return [label]
    return [f"Send {kind} Events" for kind in (*several[1].split(", "), several[2])]


def _folded(name: str) -> str:
    """Return a label or a name in one spelling: `Send Screen View Events` and `sendScreenViews` are equal."""
    return re.sub(r"events$|s$", "", re.sub(r"[^a-z0-9]", "", name.lower()))


def _addresses(output: Output) -> list[str]:
    values = (each.value for each in output.service.settings)
    return [value for value in values if isinstance(value, str) and value.startswith(("http://", "https://"))]


def _configurations(found: Workspace, ours: list[Output]) -> set[str]:
    """Return the ids of the configurations with our address; the API returns their names, and no settings."""
    names = {each.service.account for each in ours}
    named = {str(each.id) for each in found.configurations if each.name in names}
    return named or (
        {str(each.id) for each in found.configurations} if len(found.configurations) == 1 else set()
    )


def _of_outputs(address: str, found: Workspace, ours: list[Output]) -> Iterator[Drift]:
    url = f"{address}/webhooks/mparticle"
    if not found.service:
        yield Drift("services", None, "one named Webhook")
    elif not ours:
        hosts = sorted(
            {urlsplit(each).hostname or "" for output in found.outputs for each in _addresses(output)}
        )
        yield Drift("outputs.POST URL", hosts or None, url)


def _of_output(output: Output, wanted: Mapping[str, tuple[str, str]]) -> Iterator[Drift]:
    yield from _of_connection(output.input, output.service.isActive, output.service.settings, wanted)
    headers = [each for each in output.service.settings if "authorization" in each.name.lower()]
    if not any(each.value for each in headers):
        yield Drift(f"{output.input}.Authorization Header", "missing", "set")


def _of_connection(
    place: str, active: bool, settings: Iterable[Setting], wanted: Mapping[str, tuple[str, str]]
) -> Iterator[Drift]:
    if not active:
        yield Drift(f"{place}.active", active, True)
    for each in settings:
        label, value = wanted.get(_folded(each.name), ("", ""))
        if label and str(each.value).lower() != value.lower():
            yield Drift(f"{place}.{label}", each.value, value)


def _of_filters(app: AppFilters) -> Iterator[Drift]:
    """Yield the events that an app does not send; attributes may be left out by privacy rules."""
    if not app.new:
        yield Drift(f"app {app.app}.send new data points", app.new, True)
    for each in app.filters:
        if not each.enabled and each.type.lower() in _EVENTS:
            yield Drift(f"app {app.app}.{each.type} {each.name}", "not sent", "sent")


def _of_feeds(found: Workspace, *, development: bool) -> Iterator[Drift]:
    for feed in found.feeds:
        if feed.is_debug and not development:
            yield Drift(f"feed {feed.name}.development", feed.is_debug, False)


def _unread(
    found: Workspace, ours: list[Output], wanted: Mapping[str, tuple[str, str]], known: set[str]
) -> Iterator[str]:
    connected = {each.input for each in ours}
    if others := [each for each in found.inputs if each not in connected]:
        yield f"inputs without this output, if they should have it: {', '.join(others)}"
    missing = [label for folded, (label, _) in wanted.items() if folded not in known]
    if ours and missing:
        yield f"settings that the API does not return under such a name: {', '.join(missing)}"
    left_out = [
        f"{each.name} {each.attribute_name or ''}".strip()
        for app in found.filters
        for each in app.filters
        if not each.enabled and each.type.lower() not in _EVENTS
    ]
    if left_out:
        yield f"filters that leave out attributes and identities, if rules need them: {', '.join(left_out)}"
    if found.feeds and not found.subscriptions:
        names = ", ".join(each.name for each in found.feeds)
        yield f"feeds without a connection, if they should have one: {names}"
    if found.subscriptions and not _configurations(found, ours):
        names = ", ".join(each.name for each in found.configurations)
        yield f"connections of feeds: the API does not say which output has this address: {names or 'none'}"
