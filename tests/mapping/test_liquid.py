"""Liquid templates: what is switched off, what is bounded, and how values print."""

from __future__ import annotations

import pytest

from adapter import mapping
from adapter.mapping import liquid


def rendered(template: str, **payload: object) -> object:
    return mapping.compile({"v": {"@liquid": template}})(payload)["v"]


@pytest.mark.parametrize("name", liquid.DISABLED_FILTERS)
def test_a_filter_that_the_reference_switches_off_is_refused(name: str) -> None:
    with pytest.raises(mapping.MappingError, match=f'filter "{name}" is disabled, line:1, col:3'):
        rendered(f"a {{{{ v | {name} }}}}", v=[1])


@pytest.mark.parametrize("name", liquid.DISABLED_TAGS)
def test_a_tag_that_the_reference_switches_off_is_refused(name: str) -> None:
    with pytest.raises(mapping.MappingError, match=f'tag "{name}" is disabled, line:2, col:1'):
        rendered(f"\n{{% {name} x %}}")


def test_an_unknown_filter_is_ignored() -> None:
    assert rendered("{{ v | nosuch }}", v="x") == "x"


@pytest.mark.parametrize(
    "template",
    [
        "{% assign a = v" + " | append: v" * 60 + " %}" + "{% assign a = a | append: a | append: a %}" * 6,
        "{{ v | replace: 'x', v | replace: 'x', v }}",
        "{% assign b = v | replace: 'x', v %}{{ b | replace: 'x', b }}",
    ],
)
def test_a_template_that_grows_without_bound_is_stopped(template: str) -> None:
    with pytest.raises(mapping.MappingError, match="memory alloc limit exceeded"):
        rendered(template, v="x" * 30_000)


def test_a_template_over_a_thousand_characters_is_refused() -> None:
    assert rendered("x" * 1000) == "x" * 1000
    with pytest.raises(mapping.MappingError, match="limited to 1000 characters"):
        rendered("x" * 1001)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (45.0, "45"),
        (1e21, "1e+21"),
        (True, "true"),
        (None, ""),
        ([1, [2.0, None], "x"], "12x"),
        ({"a": 1}, "[object Object]"),
    ],
)
def test_values_print_as_javascript_prints_them(value: object, text: str) -> None:
    assert rendered("{{ v }}", v=value) == text
    assert rendered("{% echo v %}", v=value) == text
    assert rendered("{{ v | append: '' }}", v=value) == text
