"""The reference: what can be set, run, answered or counted has its heading, and none is left over."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from typer.main import get_command

from adapter.cli.main import commands
from adapter.errors import AdapterError
from adapter.metrics import Metrics
from adapter.settings.destinations.base import DestinationSettings
from adapter.settings.destinations.registry import DESTINATION_TYPES
from adapter.settings.fields import FIELDS, Field, fields
from adapter.settings.scalars import Secret, Secrets
from adapter.web import checkout_api
from adapter.web.errors import OTHER_CODES
from adapter.web.routes import ROUTES

ROOT = Path(__file__).parents[2]


def text(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def headings(name: str, level: int = 2) -> set[str]:
    return set(re.findall(rf"^{'#' * level} (.+)$", text(name), re.MULTILINE))


def codes(kind: type[AdapterError] = AdapterError) -> set[str]:
    """Return the codes of adapter.errors; what rooms raise below it never leaves them."""
    below = (one for one in kind.__subclasses__() if one.__module__ == kind.__module__)
    return {kind.code}.union(*map(codes, below))


#: The settings that a type of destination has besides those of every type: by the type, and their name.
OF_TYPES = {
    f"{name} destination: {field.keys[-1]}": field
    for name, kind in DESTINATION_TYPES.items()
    if name != "webhook"
    for field in fields(kind, ("destinations", "NAME"))
    if field.keys[-1] not in {*DestinationSettings.__struct_fields__, "type"}
}


def test_every_setting_has_a_heading() -> None:
    assert headings("settings", 3) == {*(field.name for field in FIELDS.values()), *OF_TYPES}
    sections = {".".join(field.keys[:-1]) for field in FIELDS.values()}
    types = {f"{name} destination" for name in DESTINATION_TYPES if name != "webhook"}
    assert headings("settings") == sections | types


@pytest.mark.parametrize("name", OF_TYPES)
def test_a_setting_of_a_type_of_destination_is_documented_with_its_default(name: str) -> None:
    [_, below] = text("settings").split(f"### {name}\n")
    section = re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0]
    field = OF_TYPES[name]
    secret = field.type in (Secret, Secrets)
    default = "none" if secret else msgspec.json.encode(field.default).decode()
    assert f"Default: `{default}`." in section


@pytest.mark.parametrize("name", DESTINATION_TYPES)
def test_every_type_of_destination_has_a_heading(name: str) -> None:
    assert f"Type {name}" in headings("destinations")


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_a_setting_is_documented_as_it_is_commented(field: Field) -> None:
    [_, below] = text("settings").split(f"### {field.name}\n")
    section = re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0]
    default = "none" if field.type == Secrets else msgspec.json.encode(field.default).decode()
    assert f"Default: `{default}`. Environment: `{field.variable}`." in section
    assert comment(field) in " ".join(section.split())


def comment(field: Field) -> str:
    """Return what adapter.toml says above a setting, as one line."""
    lines = (ROOT / "adapter.toml").read_text().splitlines()
    section = lines.index("[" + ".".join(field.keys[:-1]) + "]")
    at = next(
        at for at, line in enumerate(lines) if at > section and line.startswith(f"#{field.keys[-1]} = ")
    )
    above = at
    while lines[above - 1].startswith("# "):
        above -= 1
    return " ".join(line[2:] for line in lines[above:at])


def test_every_command_has_a_heading() -> None:
    names = getattr(get_command(commands), "commands")  # noqa: B009 - click's Group, seen through typer
    assert headings("cli") == {f"adapter {name}" for name in names}


def test_every_option_is_named() -> None:
    group = get_command(commands)
    options = {
        option
        for command in getattr(group, "commands").values()  # noqa: B009
        for parameter in command.params
        for option in parameter.opts
    }
    assert {option for option in options if option not in text("cli")} == set()


def test_every_error_code_has_a_heading() -> None:
    assert headings("errors") == codes() | set(OTHER_CODES) | set(checkout_api.ERROR_CODES)


def test_every_metric_has_a_heading() -> None:
    names = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in Metrics().registry.collect()
    }
    assert headings("metrics") == names


def test_every_endpoint_has_a_heading() -> None:
    described = {f"{route.method} {route.documented_path}" for route in ROUTES}
    assert headings("http") == described


def test_links_between_documents_lead_somewhere() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
