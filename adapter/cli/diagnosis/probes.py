"""Signed test messages of each source. No mapping takes them, so only the journal keeps them.

Such a message has a type of its own, no id of a customer and no value. It makes no customer and no event, and
earns nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from adapter.cli.diagnosis.finding import Finding, failure, ok, skipped, warning
from adapter.cli.diagnosis.reachability import LARGE, skew
from adapter.cli.diagnosis.web import Answer
from adapter.errors import MappingError
from adapter.mapping.mapping_set import MappingSet
from adapter.model.encoding import encode
from adapter.model.journal import JournalEntry
from adapter.settings.values import Settings
from adapter.sources.mparticle import sending as mparticle
from adapter.sources.registry import SOURCES
from adapter.sources.segment import sending as segment
from adapter.sources.sending import Request, Shape, joined

#: The type of test messages, and how their ids begin.
KIND, PREFIX = "adapter_doctor", "adapter-doctor-"
_SHAPES = {shape.name: shape for shape in (*segment.SHAPES, *mparticle.SHAPES)}


class Probe(Struct, frozen=True):
    """A test message in one shape: its `id` in the journal, and the settings of its `secrets`."""

    shape: Shape
    id: str
    body: bytes
    secrets: str

    @property
    def name(self) -> str:
        """The name of the check."""
        return f"test message {self.shape.name}"

    def request(self, settings: Settings) -> Request:
        """Return the request with its credentials."""
        return self.shape.pack([self.body], settings)

    def large(self, settings: Settings) -> Request:
        """Return it as a batch of one that spaces make as long as Segment's largest.

        A signature is over the whole of it, as a Destination Function signs: so the metric of signatures does
        not tell of a batch of which only the first message is signed.
        """
        return self.shape.pack([joined([self.body]).ljust(LARGE)], settings)


def probes(settings: Settings, now: datetime, new_id: Callable[[], str]) -> list[Probe]:
    """Return a test message for each way of sending whose secrets are set; without any, for Segment's."""
    wanted = {
        "segment-actions": ("segment.shared_secrets and segment.authorizations",
                            settings.segment.shared_secrets or settings.segment.authorizations),
        "mparticle-webhook": ("mparticle.authorizations", settings.mparticle.authorizations),
        "mparticle-events": ("mparticle.api_keys", settings.mparticle.api_keys),
    }  # fmt: skip
    chosen = [name for name, (_, given) in wanted.items() if given] or ["segment-actions"]
    return [_probe(_SHAPES[name], wanted[name][0], now, PREFIX + new_id()) for name in chosen]


def _probe(shape: Shape, secrets: str, now: datetime, id_: str) -> Probe:
    if shape.source == segment.SHAPES[0].source:
        body = {"type": KIND, "messageId": id_, "timestamp": now, "sentAt": now}
        return Probe(shape, id_, encode(body), secrets)
    milliseconds = int(now.timestamp() * 1000)
    data = {"source_message_id": id_, "timestamp_unixtime_ms": milliseconds}
    batch = {"events": [{"event_type": KIND, "data": data}], "environment": "production",
             "timestamp_unixtime_ms": milliseconds}  # fmt: skip
    return Probe(shape, f"{id_}:{KIND}", encode(batch), secrets)


def taking(probe: Probe, mappings: MappingSet, now: datetime) -> str:
    """Return the reason why a test message must not be sent: mapping files take it. Empty where none does."""
    for message in SOURCES[probe.shape.source].decode(probe.body, now).messages:
        try:
            if not mappings.operations(message):
                continue
        except MappingError as error:
            return error.message
        return "a mapping takes messages of any type"
    return ""


def unsent(probe: Probe, reason: str) -> Finding:
    """Return that a message was not sent because a mapping would take it."""
    return warning(probe.name, f"not sent: {reason}",
                   "let the `subscribe` of that mapping name the types that it takes")  # fmt: skip


def answered(probe: Probe, answer: Answer) -> Finding:
    """Return what an answer says of the secrets and of what is between."""
    if answer.status == 0:
        return failure(probe.name, f"no answer: {answer.error}", "see the line `address`")
    if answer.status in {401, 403}:
        return _refused(probe, answer)
    if answer.status == 202 and not answer.body and _without_results(probe):
        return ok(probe.name, "the secrets match: it was accepted")
    if answer.status != 200:
        said = str(answer.refusal.get("message") or "not an error of the adapter: a proxy answered")
        remedy = ("see docs/faults.md" if answer.refusal
                  else "let the proxy forward POST /webhooks/* and /v2/* to the server")  # fmt: skip
        return failure(probe.name, f"answered {answer.status}: {said}", remedy)
    outcome = _outcome(answer)
    if outcome == "ignored":
        return ok(probe.name, "the secrets match; headers and body arrive unchanged")
    if outcome is None:
        return failure(probe.name, "answered 200 without a result: something else than the adapter answers",
                       "let the proxy forward POST /webhooks/* and /v2/* to the server")  # fmt: skip
    return warning(probe.name, f"the secrets match, but its outcome was `{outcome}` and not `ignored`",
                   "use the mapping files of the server here; let `subscribe` name types")  # fmt: skip


def _refused(probe: Probe, answer: Answer) -> Finding:
    said = str(answer.refusal.get("message", ""))
    if not said:
        return failure(
            probe.name, f"a proxy answers {answer.status}", "let the proxy ask for no credentials on webhooks"
        )
    if "is missing" in said:
        return failure(probe.name, f"a header was lost on the way: {said}",
                       "let the proxy forward Authorization and X-Signature")  # fmt: skip
    if "forwarded" in said or "disabled" in said:
        return failure(probe.name, said, "set the secrets of the server")
    return failure(probe.name, f"the secret is not the server's, or the body was changed on the way: {said}",
                   f"use the same {probe.secrets} here and on the server")  # fmt: skip


def _outcome(answer: Answer) -> str | None:
    """Return the outcome of the one message."""
    results = answer.value.get("results")
    if isinstance(results, list) and results and isinstance(results[0], dict):
        return str(results[0].get("outcome"))
    return None


def _without_results(probe: Probe) -> bool:
    """Return whether this way of sending is answered as mParticle's Events API answers: 202 alone."""
    return probe.shape.name == "mparticle-events"


def found(probe: Probe, entries: Sequence[JournalEntry] | None, why: str = "") -> Iterator[Finding]:
    """Yield whether the journal has a message that was answered; `entries` is None where it was not read."""
    check = f"{probe.name} in the journal"
    if entries is None:
        yield skipped(check, why)
    elif any(entry.message_id == probe.id for entry in entries):
        yield ok(check, "found again")
    else:
        yield failure(
            check,
            "the message was answered, and is not in the journal of this store: another server "
            "answers at that address",
            "see to which server the proxy forwards, and its store.url",
        )


def server_clock(
    probe: Probe, entries: Sequence[JournalEntry], sent: datetime, answered_at: datetime
) -> Iterator[Finding]:
    """Yield how the server's clock differs from this machine's, by when it received a message."""
    for entry in entries:
        if entry.message_id == probe.id:
            early, late = entry.received_at - sent, entry.received_at - answered_at
            outside = min(early.total_seconds(), 0) or max(late.total_seconds(), 0)
            yield skew("clock of the server", outside)
            return
