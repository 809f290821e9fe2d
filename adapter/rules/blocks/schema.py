"""JSON Schemas of the values that blocks of rule files hold."""

from __future__ import annotations

from adapter.files.schemas import TEXT, Schema, listed, said
from adapter.rules.blocks.block import DURATION

LENGTH: Schema = {"type": "string", "pattern": f"^{DURATION.pattern}$", "minLength": 2}
MOMENT: Schema = {"type": "string", "format": "date-time"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
AMOUNT: Schema = {"type": "number", "minimum": 0}
ABOVE_ZERO: Schema = {"type": "number", "exclusiveMinimum": 0}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
FLAG: Schema = {"type": "boolean"}
WORDS: Schema = {"anyOf": [TEXT, listed(TEXT)]}
SOME_WORDS: Schema = {"anyOf": [TEXT, listed(TEXT, minItems=1)]}
CURRENCY = said({"type": "string", "pattern": "^[A-Z]{3}$"}, "Its three letters, such as USD.")
