"""Liquid templates: what is switched off, what is bounded, and how values print."""

from __future__ import annotations

import re
import time
from pathlib import Path

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


HOSTILE = {
    "a loop in a loop": "{% for i in (1..9999999) %}{% for j in (1..9999999) %}x{% endfor %}{% endfor %}",
    "a table in a branch": "{% if true %}{% tablerow i in (1..9999999) %}x{% endtablerow %}{% endif %}",
    "a range joined": "{{ (1..9999999999) | join: ',' | size }}",
    "a range as long as the payload says": "{{ (1..many) | join: ',' | size }}",
    "a range added up": "{{ (1..9999999999) | sum }}",
    "a range searched": "{% if (1..9999999999) contains 'x' %}x{% endif %}",
    "a range in an assignment": "{% assign r = (1..9999999999) %}{% unless r contains 'x' %}x{% endunless %}",
    "a range told again and again": "{{ (1..999999) | sum }}" * 40,
    "a long text joined with itself": "{{ text | split: '' | join: text | size }}",
    "white space squeezed again and again": "{{ text" + " | normalize_whitespace" * 40 + " }}",
    "brackets that never close": "{{ brackets" + " | strip_html" * 70 + " }}",
    "a list shown again and again": "{{ list }}" * 90,
    "JSON of JSON": "{{ text" + " | json" * 120 + " }}",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE)
def test_no_template_holds_the_server_up(template: str) -> None:
    payload = {
        "many": 10**12,
        "text": " x" * 50_000,
        "brackets": "<" * 100_000,
        "list": [None] * 100_000,
    }
    start = time.process_time()
    with pytest.raises(mapping.MappingError, match=r"memory alloc limit exceeded|is disabled"):
        rendered(template, **payload)
    assert time.process_time() - start < 3


def test_work_that_mappings_do_have_is_far_below_the_limit() -> None:
    text = "<p>A description of thirty thousand characters. </p>" * 600
    assert len(str(rendered("{{ v | strip_html | squish | truncate: 200 }}", v=text))) == 200
    assert rendered("{{ (1..3) | join: '-' }} {{ v | sum }}", v=[1, 2]) == "1-2-3 3"


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


def test_a_block_is_refused_because_there_are_no_layouts() -> None:
    assert "no layouts, line:1, col:2" in str(liquid.problem("a{% block x %}b{% endblock %}"))


@pytest.mark.parametrize("name", liquid.RANDOM_FILTERS)
def test_a_filter_that_picks_at_random_is_refused(name: str) -> None:
    with pytest.raises(mapping.MappingError, match=f'filter "{name}" picks at random, line:1, col:1'):
        rendered(f"{{{{ v | {name} }}}}", v=[1])


def test_the_documentation_names_every_filter_that_works() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mapping-directives.md").read_text("utf-8")
    rows = page.split("| of | filters |")[1].split("`adapter check` refuses")[0]
    assert sorted(re.findall("`([a-z0-9_]+)`", rows)) == liquid.usable()


def test_brackets_and_tags_nest_within_bounds() -> None:
    assert liquid.problem("{{ v" + "[v" * 20 + "]" * 20 + " }}") is None
    assert "nested more than" in str(liquid.problem("{{ v" + "[v" * 300 + "]" * 300 + " }}"))
    assert "nested more than" in str(liquid.problem("{{ " + "(" * 900 + " }}"))
    assert "nested more than" in str(liquid.problem("{%if v%}" * 100))
    assert "nested more than" in str(liquid.problem("{%" + "liquid " * 130 + "%}"))


@pytest.mark.parametrize("word", ["now", "today"])
def test_no_template_reads_the_clock(word: str) -> None:
    with pytest.raises(mapping.MappingError, match=f"`{word}` is no date here: a mapping reads no clock"):
        rendered("{{ v | date: '%Y' }}", v=word)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-03-04T05:06:07Z", "2026-03-04 05:06"),
        ("4 March 2026", "2026-03-04 00:00"),
        ("4 Mar 2026 05:06 GMT+0130", "2026-03-04 03:36"),
        ("2026-02-31", "2026-03-03 00:00"),
        ("March", "March"),
        ("10:30", "10:30"),
        ("soon", "soon"),
    ],
)
def test_missing_parts_of_a_date_do_not_come_from_the_clock(text: str, shown: str) -> None:
    assert rendered("{{ v | date: '%Y-%m-%d %H:%M' }}", v=text) == shown


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ 14575 | divided_by: 100 }}", "145.75"),
        ('{{ "145.75" > 100 }} {{ "9" > "10" }} {{ "x" < 1 }}', "true true false"),
        ("[{{ null | date }}{{ none | date: '%Y' }}]", "[]"),
        ("{{ lines }}", "a\r\nb\rc"),
        ("{{ '' | append: yes }} {{ list | join: ' ' }} {{ 'x' | append: none }}", "true  true x"),
        ('{{ "12.50" | truncate: 5 }}', "12.50"),
        ("{{ 2.5 | round }} {{ -2.5 | round }} {{ 1.005 | round: 2 }}", "3 -3 1.01"),
        ("{{ none == blank }} {{ none == null }} {{ none == empty }}", "true true false"),
        ("[{{ object.first }}] [{{ object.last }}] {{ object.size }}", "[] [] 1"),
        ('{{ "AB12"[0] }}{{ "AB12"[3] }}[{{ "AB12"[4] }}]', "A2[]"),
        ("{{ quotes | escape }}", "&#34;&#39;"),
        ("{{ 14575 contains 1 }} {{ '14575' contains 1 }}", "false true"),
        ("{{ 45.0 }} {{ large }} {{ small }} {{ 0.1 | plus: 0.2 }}", "45 1e+21 1e-7 0.30000000000000004"),
        ("{{ 'abc' | sha256 | slice: 0, 8 }} {{ 'A b!' | slugify }}", "ba7816bf a-b"),
        ("{{ list | push: 1 | size }}{{ list | pop | size }}{{ '12.5' | to_integer }}", "3112.5"),
        ("{{ ' a  b ' | number_of_words }} {{ quotes | xml_escape }}", "2 &#34;&#39;"),
        ("{{ 1772600767 | date_to_xmlschema }}", "2026-03-04T05:06:07+00:00"),
        ("{{ '2026-03-04' | date_to_long_string: 'ordinal', 'US' }}", "March 4th, 2026"),
        ("{{ nosuch | plus: 1 }} {{ size }}", "1 0"),
    ],
)
def test_templates_give_the_results_of_segment(template: str, text: str) -> None:
    payload = {
        "none": None, "yes": True, "list": [None, True], "object": {"a": 1}, "lines": "a\r\nb\rc",
        "quotes": "\"'", "large": 10**21, "small": 1e-7,
    }  # fmt: skip
    assert rendered(template, **payload) == text
