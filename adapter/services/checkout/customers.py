"""What was sent of a customer with a redemption is kept like an identify of a source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter.model.customers import FIELDS
from adapter.model.operations import CustomerUpsert
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work


class Remembering:
    """Hands customers to the committer."""

    def __init__(
        self, submit: Callable[[Sequence[Work]], Awaitable[list[Result]]], clock: Callable[[], datetime]
    ) -> None:
        self._submit = submit
        self._clock = clock

    async def remember(self, source_id: str, sent: Mapping[str, Any]) -> None:
        """Keep standard fields as such, `traits` and all other members as traits."""
        if not source_id:
            return
        fields = {name: value for name, value in sent.items() if name in FIELDS and value is not None}
        nested = sent.get("traits")
        other = {name: value for name, value in sent.items() if name not in FIELDS}
        other = {name: value for name, value in other.items() if name not in ("source_id", "traits")}
        traits = {**(nested if isinstance(nested, Mapping) else {}), **other}
        operation = CustomerUpsert(source_id, fields=fields, traits=traits)
        await self._submit([Work("checkout", "", "", self._clock(), (operation,))])
