"""adapter.toml: complete, and true about the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from adapter.settings.fields import FIELDS, Field
from adapter.settings.load import load
from adapter.settings.scalars import Secrets
from adapter.settings.values import Settings

FILE = Path(__file__).parents[2] / "adapter.toml"
#: A setting that is commented out, against prose: no space behind the sign.
COMMENTED = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)


def test_the_shipped_file_sets_the_defaults() -> None:
    assert load(FILE, {}) == Settings()


def test_the_shipped_file_names_every_setting_with_its_default(tmp_path: Path) -> None:
    text = COMMENTED.sub("", FILE.read_text())
    named = re.findall(r'\{env = "([A-Z_]+)"\}\]', text)
    whole = tmp_path / "adapter.toml"
    whole.write_text(text)
    environ = dict.fromkeys(named, "a:b") | {
        "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "CONSOLE_TOKEN": f"ann:read:{'0' * 64}",
    }
    shown = load(whole, environ)
    for field in FIELDS.values():
        value: object = shown
        for key in field.keys:
            value = getattr(value, key)
        if field.type == Secrets:
            assert len(value) == 1, field.name  # type: ignore[arg-type]
        else:
            assert value == field.default, field.name


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_every_setting_has_a_comment(field: Field) -> None:
    lines = FILE.read_text().splitlines()
    section = lines.index("[" + ".".join(field.keys[:-1]) + "]")
    at = next(
        at for at, line in enumerate(lines) if at > section and line.startswith(f"#{field.keys[-1]} = ")
    )
    assert lines[at - 1].startswith("# ")


def test_the_whole_file_is_toml_also_when_every_line_is_switched_on() -> None:
    tomllib.loads(COMMENTED.sub("", FILE.read_text()))
