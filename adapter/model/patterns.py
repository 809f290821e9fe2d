"""Regular expressions of authors, in RE2: a search takes linear time, whatever the pattern and the text."""

from __future__ import annotations

from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


def pattern(text: str) -> Any:
    """Compile an author's regular expression; None when it is not one."""
    try:
        return re2.compile(text, _OPTIONS)
    except (re2.error, UnicodeEncodeError):
        return None
