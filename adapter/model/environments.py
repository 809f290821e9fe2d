"""Development traffic: what a sender's test environment sends."""

from __future__ import annotations

from typing import Any, Final, Literal

Environment = Literal["development", "production"]
DEVELOPMENT: Final = "development"


def is_development(context: Any) -> bool:
    """Return whether the context of a message or event is that of a development environment.

    mParticle names an environment in each batch. Segment does not; a sender that puts `environment` into the
    context of its calls is understood all the same.
    """
    return isinstance(context, dict) and context.get("environment") == DEVELOPMENT
