"""Identities that mappings give customers, and that a destination of type `mparticle` leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.files.problems import Problem
from adapter.mapping.lint import outputs
from adapter.mapping.lint.outputs import Written
from adapter.mapping.mapping_set import MappingSet
from adapter.settings.destinations.mparticle import MParticle
from adapter.settings.destinations.registry import Destinations

#: Always sent, and ids of visitors and devices, which mParticle has a way of its own for.
_KNOWN = ("customer_id", "email", "mpid", "anonymous_id")
_DEVICE = "device"


def unsent_identities(destinations: Destinations, mappings: MappingSet) -> Iterator[Problem]:
    """Yield a warning for each kind that a mapping names and a destination does not."""
    for name, each in destinations.by_name.items():
        if isinstance(each, MParticle):
            named = {*_KNOWN, *each.identity_types}
            for written in _identities(mappings):
                if written.name not in named:
                    named.add(written.name)
                    yield _unsent(name, written)


def _identities(mappings: MappingSet) -> Iterator[Written]:
    for mapping in mappings.mappings:
        for written in outputs.identities(mapping):
            if not written.name.startswith(_DEVICE):
                yield written


def _unsent(destination: str, identity: Written) -> Problem:
    kind = identity.name
    message = f"destination `{destination}` does not send the identity `{kind}`"
    remedy = f"add `{kind}:other_id_2` to its `identities`, or `{kind}:` where that is intended"
    return Problem(identity.at, message, remedy, "warning")
