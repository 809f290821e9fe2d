"""What the running server counted: the shapes of signatures, and requests with wrong secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from adapter.cli.diagnosis.finding import Finding, ok, skipped, warning
from adapter.settings.values import Segment

_SIGNATURES, _REQUESTS = "adapter_segment_signatures_total", "adapter_requests_total"
_CHECK = "signatures"


class Sample(Struct, frozen=True):
    """One value of a metric."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(body: bytes) -> list[Sample] | None:
    """Return the values that checks need; None where the body is not in the format of Prometheus."""
    try:
        return _read(body.decode())
    except ValueError:
        return None


def _read(text: str) -> list[Sample]:
    wanted = {_SIGNATURES, _REQUESTS}
    return [
        Sample(each.name, each.labels, each.value)
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name in wanted
    ]


def signatures(found: Sequence[Sample] | None, segment: Segment) -> Iterator[Finding]:
    """Yield which shapes of signatures arrived since the server started; None where it was not asked."""
    if found is None:
        yield skipped(_CHECK, "the metrics of the server were not read", "run it where the server runs, with "
                      "a token in api.read_tokens or api.tokens")  # fmt: skip
        return
    counts = {
        (each.labels["body"], each.labels["form"]): int(each.value)
        for each in found if each.name == _SIGNATURES
    }  # fmt: skip
    first, whole = counts.get(("batch", "first_element"), 0), counts.get(("batch", "whole"), 0)
    told = (f"{counts.get(('message', 'whole'), 0)} over single messages, {whole} over whole batches, "
            f"{first} over a batch's first message")  # fmt: skip
    if not any(counts.values()):
        yield skipped(_CHECK, "no signed request of Segment arrived since the server started")
    elif first and not segment.authorizations:
        yield warning(_CHECK, f"{told}: the other messages of those batches are not authenticated",
                      "set segment.authorizations, and the same Authorization header at Segment")  # fmt: skip
    elif first and whole and segment.whole_signature_suffices:
        yield warning(_CHECK, f"{told}: both ways of signing are in use",
                      "see which destination signs only the first message")  # fmt: skip
    else:
        yield ok(_CHECK, told)


def refused(found: Sequence[Sample] | None) -> Iterator[Finding]:
    """Yield whether senders came with wrong secrets since the server started."""
    if found is None:
        return
    wrong = {
        each.labels["endpoint"]: int(each.value)
        for each in found
        if each.name == _REQUESTS and each.labels["status"] in {"401", "403"} and each.value
        and each.labels["endpoint"].startswith(("webhooks_", "tracking", "events", "opendsr"))
    }  # fmt: skip
    if wrong:
        told = ", ".join(f"{count} at {endpoint}" for endpoint, count in sorted(wrong.items()))
        yield warning("refused requests", f"answered 401 or 403 since the server started: {told}",
                      "give Segment and mParticle the secrets of the settings; see the log")  # fmt: skip
    else:
        yield ok("refused requests", "no sender had a wrong secret since the server started")
