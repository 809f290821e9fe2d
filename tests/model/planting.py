"""Documents of any shape, and texts that are planted somewhere in them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

#: Ways in which a document holds a text.
PLACES = st.sampled_from([
    lambda name: name,
    lambda name: {name: 1},
    lambda name: [[{"x": name}]],
    lambda name: f"https://x.test/?u={quote(name, safe='')}&x=1",
    lambda name: f"https://x.test/u/{name}/orders",
    lambda name: f"id={name}; path=/",
    lambda name: f"({name.upper() if name.isascii() else name})",
    lambda name: json.dumps({"id": name}),
    lambda name: {"url": quote(f"/?next={quote(name, safe='')}", safe="")},
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9999) | st.text("abc xyz", max_size=6),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text("abcdef", max_size=5), below, max_size=3)
    ),
    max_leaves=8,
)


def planted(document: Any, item: Any, data: st.DataObject) -> Any:
    """Return a document with an item somewhere in it."""
    if isinstance(document, dict) and document and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(document)))
        return document | {key: planted(document[key], item, data)}
    if isinstance(document, list) and document and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(document) - 1))
        return [*document[:at], planted(document[at], item, data), *document[at + 1 :]]
    return {"planted": item, "beside": document}


def texts(document: Any) -> list[str]:
    """Return all keys and values of a document, in their order, as texts."""
    if isinstance(document, dict):
        return [*document, *(text for value in document.values() for text in texts(value))]
    if isinstance(document, list):
        return [text for value in document for text in texts(value)]
    return [str(document)]
