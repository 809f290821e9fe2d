"""YAML files as people write them: what is read, and the traps that are refused with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.files import yaml


def faults(text: str) -> list[str]:
    _, problems = yaml.parse(text, "shop.yaml")
    return [str(problem).removeprefix("shop.yaml:") for problem in problems]


@pytest.mark.parametrize("digits", ["01234", "00", "-007", "007.5"])
def test_digits_that_would_lose_their_zero_are_refused(digits: str) -> None:
    [fault] = faults(f"zip: {digits}")
    assert fault.startswith(f"1:6: `{digits}` is a number that would lose its leading zero; ")
    assert fault.endswith(f'write "{digits}" for the text, or the number without it')


@pytest.mark.parametrize("number", ["5" * 5000, "-" + "5" * 400, "1e999", "5" * 400 + ".5"])
def test_numbers_that_no_computer_reckons_with_are_refused(number: str) -> None:
    shown = number if len(number) < 20 else f"{number[:19]}…"
    assert faults(f"a: 1\npoints: {number}") == [
        f"2:9: `{shown}` is too large for a number; write a smaller one, or quotes around text"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: &a {}\nc:\n  <<: *a", "3:3: merge keys (`<<`) are not supported; use `@merge`, or write"),
        ("a: !!str 123", '1:4: `!!str` is a tag, which has no meaning here; write "123" for the text'),
        ("a: !!set {b}", "1:4: `!!set` is a tag, which has no meaning here; remove it, and put text in"),
        ("!!int a: 1", "1:1: `!!int` is a tag, which has no meaning here; remove it"),
        ("- !foo bar", "1:3: `!foo` is a tag, which has no meaning here; remove it, or put text that"),
        ("- !has(a.b)", "1:3: `!has(a.b)` is a tag, which has no meaning here; remove it, or put text"),
        ("a: !foo [1]", "1:4: `!foo` is a tag"),
        ("a: 1e999", "1:4: `1e999` is too large for a number; write a smaller one, or quotes around text"),
        ("a: [-1.5e+400]", "1:5: `-1.5e+400` is too large for a number"),
        (f"a: {'9' * 5000}", f"1:4: `{'9' * 19}…` is too large for a number"),
    ],
)  # fmt: skip
def test_ambiguous_values_are_refused(text: str, fault: str) -> None:
    [found] = faults(text)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: &x {b: [1]}, c: *x}", {"a": {"b": [1]}, "c": {"b": [1]}}),
        ("'<<': 1", {"<<": 1}),
        ("['!has(a)', '!!str 123', \"1e999\", 1e30]", ["!has(a)", "!!str 123", "1e999", 1e30]),
    ],
)
def test_aliases_and_text_in_quotes_are_read(text: str, value: object) -> None:
    document, problems = yaml.parse(text, "shop.yaml")
    assert problems == []
    assert document is not None
    assert document.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("0.5", 0.5), ("-0.5", -0.5), ("'01234'", "01234"), ("07:30", "07:30"), ("0a", "0a"),
     ("2024-01-01", "2024-01-01"), ("9" * 300, int("9" * 300)), ("1e-999", 0.0)],
)  # fmt: skip
def test_digits_of_other_scripts_are_read_as_digits(text: str, value: object) -> None:
    document, problems = yaml.parse(f"value: {text}", "shop.yaml")
    assert problems == []
    assert document is not None
    assert document.value == {"value": value}


def test_a_byte_that_is_not_utf8_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes("# Läufer\nname: caf".encode() + b"\xe9\n")
    document, [problem] = yaml.read(path, "shop.yaml")
    assert document is None
    assert str(problem) == "shop.yaml:2:10: the file is not UTF-8 text from here on; save it as UTF-8 text"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_editor_ends_them(end: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(f"a: 1{end}b: |{end}  x{end}  y{end}a: 2{end}".encode())
    document, [problem] = yaml.read(path, "shop.yaml")
    assert document is not None
    assert document.value == {"a": 1, "b": "x\ny\n"}
    assert str(problem).startswith("shop.yaml:5:1: `a` occurs twice")


def test_a_directory_in_the_place_of_a_file_is_reported_without_the_remedy_to_save_it(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").mkdir()
    _, [problem] = yaml.read(tmp_path / "shop.yaml", "shop.yaml")
    assert str(problem).startswith("shop.yaml:1:1: cannot be read: Is a directory; replace it")


@pytest.mark.parametrize(
    ("text", "place"),
    [('a: {"@path": $.products[0].sku}', "1:14"), ("a:\n  [$.x, $.products[0].sku]", "2:9")],
)
def test_an_unquoted_path_with_a_bracket_is_reported_with_quotes_as_the_remedy(text: str, place: str) -> None:
    remedy = 'write "$.products[0].sku": between brackets, a path with `[` needs quotes'
    assert faults(text) == [f"{place}: the path ends at its `[`; {remedy}"]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000,
     "\n".join(" " * level + f"a:\n{' ' * level}-" for level in range(1000))],
)  # fmt: skip
def test_endless_nesting_is_refused_at_the_maximum_depth(text: str) -> None:
    [fault] = faults(text)
    assert "the file expands to too many or too deeply nested values" in fault


def test_every_way_of_exceeding_the_depth_reports_the_same_place() -> None:
    by_building, by_counting = "[" * 66 + "]" * 66, "[" * 66 + "]" * 66 + "#" * 1000
    assert faults(by_building) == faults(by_counting)
    assert faults(by_building)[0].startswith("1:66: ")
