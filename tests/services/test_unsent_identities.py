"""`adapter check` says which identities a destination of type `mparticle` leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.mapping.mapping_set import load
from adapter.services.authoring.unsent_identities import unsent_identities
from adapter.settings.destinations.mparticle import MParticle
from adapter.settings.destinations.registry import Destinations

MAPPING = """\
source: segment
mappings:
  - name: Customer
    subscribe: type = "identify"
    action: customer.upsert
    fields:
      source_id: {"@path": $.userId}
      identities:
        email: {"@path": $.traits.email}
        loyalty_no: {"@path": $.traits.loyalty_no}
        device_id: {"@path": $.context.device.id}
"""


@pytest.mark.parametrize(
    ("identities", "expected"),
    [
        ((), ["destination `mp` does not send the identity `loyalty_no`"]),
        (("loyalty_no:other",), []),
        (("loyalty_no:",), []),
    ],
)
def test_an_identity_that_is_left_out_is_a_warning(
    identities: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "one.yaml").write_text(MAPPING)
    mappings, _ = load(tmp_path)
    assert mappings is not None
    named = {"mp": MParticle(pod="eu1", identities=identities)}
    found = list(unsent_identities(Destinations(named=named), mappings))
    assert [problem.message for problem in found] == expected
    assert {problem.severity for problem in found} <= {"warning"}
    assert {problem.mark.line for problem in found} <= {10}
