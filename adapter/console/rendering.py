"""Pages as HTML: templates, headers, and parts of a page for htmx."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2_fragments import render_block
from starlette.responses import HTMLResponse

from adapter.console import filters
from adapter.console.assets import asset, assets
from adapter.model.encoding import encode

#: What a browser may load, and from where. The nonce is for htmx's extension `hx-csp`, which ignores the htmx
#: attributes of elements without it.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@cache
def environment() -> Environment:
    """Return the environment of all templates: everything is escaped, and unknown names are errors."""
    made = Environment(
        loader=PackageLoader("adapter.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": filters.moment,
        "clock": filters.clock,
        "duration": filters.duration,
        "number": filters.number,
        "json": filters.pretty,
    }
    # Views have decimals, which the json module does not know.
    made.policies["json.dumps_function"] = lambda value, **_: encode(value).decode()
    made.globals |= {"url": filters.url, "asset": asset, "only": filters.only}
    return made


def page_html(template: str, values: Mapping[str, Any], *, now: datetime, block: str = "") -> str:
    """Return a template as HTML, or one block of it. `now` is what the filter `ago` counts from."""
    given = {**values, "now": now, "ago": partial(filters.ago, now=now)}
    if block:
        return render_block(environment(), template, block, {**given, **_before_blocks(template, given)})
    return environment().get_template(template).render(given)


def _before_blocks(template: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a template imports and sets before its blocks: a block by itself would not have it."""
    found = environment().get_template(template)
    context = found.new_context(dict(given))
    next(found.root_render_func(context), "")  # as far as the first text of the layout
    return dict(context.vars)


def html_response(html: str, nonce: str, status: int = 200) -> HTMLResponse:
    """Return HTML with the headers that every page has."""
    return HTMLResponse(html, status, headers_of_page(nonce))


def headers_of_page(nonce: str) -> dict[str, str]:
    """Return the headers of a page; nothing of it is kept by browsers or proxies."""
    return {
        "content-security-policy": _POLICY.format(nonce=nonce),
        "cache-control": "no-store",
        "vary": "Accept, HX-Request, HX-Target",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }


def own_files(name: str) -> dict[str, str]:
    """Return the URLs of a page's own style sheet and script, of those that there are."""
    wanted = {"css": f"pages/{name}.css", "js": f"pages/{name}.js"}
    return {kind: asset(path) for kind, path in wanted.items() if path in assets()}
