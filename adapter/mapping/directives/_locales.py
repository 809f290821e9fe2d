"""The option `locale` of directives that read numbers."""

from __future__ import annotations

from typing import Any

from adapter.mapping.engine.directive import Report
from adapter.model.locales import notation


def lint_locale(options: Any, report: Report) -> None:
    """Report a locale that is written out and not known."""
    locale = options.get("locale") if type(options) is dict else None
    if type(locale) is str and notation(locale) is None:
        remedy = "write a language, with a region where it matters: de, en-US, fr-CH"
        report(("locale",), f"`{locale}` is no locale whose numbers can be read", remedy)
