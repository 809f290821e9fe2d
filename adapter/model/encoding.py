"""JSON of responses, deliveries and stored records: decimals are numbers, times end in `Z`."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Encode any value of the model, or plain JSON values, compactly."""
    return _encoder.encode(value)


def decode(body: bytes, kind: type[T]) -> T:
    """Decode a value of the model; decimals are exact.

    Raises msgspec.ValidationError when the JSON is not of that type.
    """
    return msgspec.json.decode(body, type=kind)
