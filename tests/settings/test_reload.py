"""What a running server takes from settings that were read again, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.errors import InvalidFiles
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.fields import FIELDS, Keys, build
from adapter.settings.reload import RELOADED, is_reloaded, reloaded
from adapter.settings.scalars import Secret
from adapter.settings.values import Settings

SECRET = Secret("correct horse battery staple")
BEFORE: Settings = build({("api", "tokens"): (SECRET,), ("segment", "write_keys"): (SECRET,)})
SINGLE = [keys for keys in FIELDS if keys[0] != "destinations"]
#: Other values of settings of which not every text or number is valid.
OTHER: dict[Keys, Any] = {
    ("segment", "browser_origins"): ("https://shop.example",),
    ("mparticle", "api_keys"): (Secret("key:secret"),),
    ("console", "tokens"): (Secret("Ada:read:" + "0" * 64),),
    ("log", "level"): "debug",
    ("log", "format"): "console",
}


def other(keys: Keys) -> Any:
    """Return a value of a setting that is not the one in BEFORE."""
    old = getattr(getattr(BEFORE, keys[0]), keys[1])
    if keys in OTHER:
        return OTHER[keys]
    if isinstance(old, bool):
        return not old
    return old + ((Secret("another"),) if isinstance(old, tuple) else "x" if isinstance(old, str) else 1)


def with_values(values: dict[Keys, Any], of: Settings = BEFORE) -> Settings:
    for (section, key), value in values.items():
        of = replace(of, **{section: replace(getattr(of, section), **{key: value})})
    return of


@pytest.mark.parametrize("keys", SINGLE, ids=".".join)
def test_a_changed_setting_is_in_use_or_waits_for_a_restart(keys: Keys) -> None:
    fresh = with_values({keys: other(keys)})
    found = reloaded(BEFORE, fresh)
    name = (".".join(keys),)
    expected = (fresh, name, ()) if is_reloaded(keys) else (BEFORE, (), name)
    assert (found.settings, found.changed, found.waiting) == expected


def test_unchanged_settings_change_nothing() -> None:
    found = reloaded(BEFORE, with_values({}))
    assert (found.settings, found.changed, found.waiting) == (BEFORE, (), ())


def test_destinations_are_named_one_by_one() -> None:
    signed = (Secret("whsec_" + "A" * 32),)
    crm, shop, gone = (Webhook(url=f"https://{name}.example/", secrets=signed) for name in "abc")
    before = replace(BEFORE, destinations=Destinations(named={"crm": crm, "gone": gone}))
    crm = replace(crm, timeout_seconds=3)
    fresh = replace(BEFORE, destinations=Destinations(named={"crm": crm, "shop": shop}))
    found = reloaded(before, fresh)
    assert found.changed == ("destinations.crm", "destinations.gone", "destinations.shop")
    assert found.settings.destinations == fresh.destinations


def test_names_without_values_are_returned() -> None:
    found = reloaded(BEFORE, with_values({("api", "tokens"): (SECRET, Secret("a new token"))}))
    assert found.changed == ("api.tokens",)


NO_SECRETS: dict[Keys, Any] = {("api", "tokens"): (), ("segment", "write_keys"): ()}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_last_secret_is_not_taken_from_a_running_server(host: str) -> None:
    before = with_values({("server", "host"): host})
    with pytest.raises(InvalidFiles, match="the last secret is gone"):
        reloaded(before, with_values(NO_SECRETS))


def test_a_first_secret_is_taken() -> None:
    assert reloaded(Settings(), BEFORE).settings == BEFORE


def test_settings_that_are_valid_only_after_a_restart_are_refused() -> None:
    fresh = with_values({("segment", "browser_origins"): ("not an origin",)})
    with pytest.raises(InvalidFiles, match=r"segment\.browser_origins"):
        reloaded(BEFORE, fresh)


def test_the_documentation_lists_what_is_reloaded() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    section = page.split("\n### Changes without a restart\n")[1].split("\n## ")[0]
    listed = {
        name
        for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        for name in re.findall("`(.+?)`", row)
    }
    assert listed == RELOADED


def test_what_is_reloaded_is_a_section_or_a_setting() -> None:
    assert {keys[0] for keys in FIELDS} | {".".join(keys) for keys in SINGLE} >= RELOADED
