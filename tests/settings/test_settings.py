"""Settings from the file, the environment and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.errors import InvalidFiles
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.fields import FIELDS, Keys
from adapter.settings.load import load, read
from adapter.settings.scalars import Secret
from adapter.settings.values import Settings

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def given(
    tmp_path: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    options: Mapping[Keys, Any] | None = None,
) -> Settings:
    file = tmp_path / "adapter.toml"
    file.write_text(text)
    return load(file, environ or {}, options)


def refused(tmp_path: Path, text: str = "", environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(InvalidFiles) as caught:
        given(tmp_path, text, environ)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_nothing_given_means_every_default(tmp_path: Path) -> None:
    assert given(tmp_path) == Settings()


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Settings()


def test_the_file_sets_values(tmp_path: Path) -> None:
    settings = given(tmp_path, '[server]\nport = 9000\n[log]\nlevel = "debug"\n')
    assert (settings.server.port, settings.log.level) == (9000, "debug")


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    text = "[server]\nport = 9000\n"
    environ = {"ADAPTER_SERVER_PORT": "9001"}
    assert given(tmp_path, text, environ).server.port == 9001
    assert given(tmp_path, text, environ, {("server", "port"): 9002}).server.port == 9002


@pytest.mark.parametrize("keys", FIELDS)
def test_every_setting_can_be_given_in_the_environment(keys: Keys, tmp_path: Path) -> None:
    texts = {
        "port": "9000", "host": "::1", "level": "error", "accept_development": "true",
        "allow_private_addresses": "true", "reasons": "true", "format": "console",
        "api_keys": "key:secret", "mappings": "elsewhere",
        "rules": "elsewhere", "secrets": WHSEC, "whole_signature_suffices": "true",
        "browser_origins": "https://a.test,http://localhost:3000", "type": "webhook",
        "ordered": "true", "concurrency": "3", "development": "true",
        "forward": "customers,events", "forward_anonymous": "true",
        "session_hours": "24", "write_files": "true",
    }  # fmt: skip
    text = texts.get(keys[-1], "4321" if isinstance(FIELDS[keys].default, int) else "some,thing")
    if keys == ("console", "tokens"):
        text = f"ann:read:{'0' * 64},bob:admin:{'1' * 64}"
    if keys[-1] == "url":
        text = "postgresql://host/base" if keys[0] == "store" else "https://example.com/in"
    environ = {FIELDS[keys].variable: text, "ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": WHSEC}
    if keys[-1] == "workers":
        environ["ADAPTER_STORE"] = "postgresql://host/base"
    value: Any = given(tmp_path, "", environ)
    for key in keys:
        value = getattr(value, key)
    assert value != FIELDS[keys].default or keys[-1] == "type", "of which there is one"


def test_adapter_store_names_the_store(tmp_path: Path) -> None:
    assert given(tmp_path, "", {"ADAPTER_STORE": "sqlite:///x.db"}).store.url == "sqlite:///x.db"


def test_secrets_come_from_the_environment_and_do_not_show(tmp_path: Path) -> None:
    text = '[segment]\nshared_secrets = [{env = "OLD"}, {env = "NEW"}]\n'
    settings = given(tmp_path, text, {"OLD": "first", "NEW": "second"})
    assert settings.segment.shared_secrets == (Secret("first"), Secret("second"))
    assert "first" not in repr(settings)


def test_a_list_of_secrets_in_one_variable_is_separated_by_commas(tmp_path: Path) -> None:
    environ = {"ADAPTER_SEGMENT_SHARED_SECRETS": "first, second"}
    assert given(tmp_path, "", environ).segment.shared_secrets == (Secret("first"), Secret("second"))


REFUSED = yaml.safe_load(Path(__file__).with_name("refused.yaml").read_text())


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_a_wrong_setting_is_refused(case: dict[str, Any], tmp_path: Path) -> None:
    text = case.get("file", "").replace("BRACKETS", "[" * 5_000).replace("DIGITS", "1" * 5_000)
    assert case["problem"] in refused(tmp_path, text, case.get("environment", {}))


WARNED = yaml.safe_load(Path(__file__).with_name("warned.yaml").read_text())


@pytest.mark.parametrize("case", WARNED, ids=lambda case: case["name"])
def test_a_doubtful_setting_is_warned_of_and_holds(case: dict[str, Any]) -> None:
    settings, problems = read(None, case["environment"])
    assert settings is not None
    assert [f"{one.message}; {one.remedy}" for one in problems] == case["warnings"]
    assert {one.severity for one in problems} <= {"warning"}


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    text = "[server]\nport = 'x'\nhots = 1\n[log]\nlevel = 3\n"
    assert [line.split(":")[1] for line in refused(tmp_path, text)] == ["2", "3", "5"]


def test_a_secret_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    assert "hush" not in "".join(refused(tmp_path, "[api]\ntokens = ['hush']\n"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidFiles, match=r"nowhere\.toml:1:1: cannot be read at `/.*/nowhere\.toml`: no such file"
    ):
        load(tmp_path / "nowhere.toml", {})


def test_another_host_is_served_once_there_is_a_secret(tmp_path: Path) -> None:
    environ = {"ADAPTER_SERVER_HOST": "0.0.0.0", "ADAPTER_API_TOKENS": "token"}
    assert given(tmp_path, "", environ).auth_enabled


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_secret(host: str, tmp_path: Path) -> None:
    assert given(tmp_path, "", {"ADAPTER_SERVER_HOST": host}).server.loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", ""])
def test_no_other_host_counts_as_loopback(host: str, tmp_path: Path) -> None:
    refused(tmp_path, "", {"ADAPTER_SERVER_HOST": host})


def test_a_misspelt_variable_is_a_warning_and_kubernetes_ones_are_let_be() -> None:
    settings, problems = read(None, {"ADAPTER_SERVER_PROT": "1", "ADAPTER_PORT_8000_TCP": "tcp://10.0.0.1"})
    assert settings is not None
    assert [str(problem) for problem in problems] == [
        "environment:1:1: warning: `ADAPTER_SERVER_PROT` has no effect; did you mean `ADAPTER_SERVER_PORT`?"
    ]


def test_destinations_have_names_of_the_operators_choice(tmp_path: Path) -> None:
    text = """
        [destinations.webhook]
        url = "https://shop.example/in"
        [destinations.crm]
        type = "webhook"
        url = "https://crm.example/in"
        events = ["discount.issued"]
    """
    environ = {"ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": WHSEC, "ADAPTER_DESTINATIONS_CRM_SECRETS": WHSEC,
               "ADAPTER_DESTINATIONS_CRM_TIMEOUT_SECONDS": "3"}  # fmt: skip
    destinations = given(tmp_path, text, environ).destinations
    assert list(destinations.by_name) == ["webhook", "crm"]
    crm = destinations.by_name["crm"]
    assert isinstance(crm, Webhook)
    assert (crm.url, crm.events, crm.timeout_seconds) == ("https://crm.example/in", ("discount.issued",), 3)
    assert crm.secrets == (Secret(WHSEC),)


def test_a_webhook_without_a_url_is_off_and_rules_may_name_it(tmp_path: Path) -> None:
    destinations = given(tmp_path).destinations
    assert destinations.by_name == {}
    assert destinations.names == frozenset(("webhook",))


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("first, with a comma\n")
    text = f'[segment]\nshared_secrets = [{{file = "{tmp_path}/secret"}}, {{env = "OTHER"}}]\n'
    settings = given(tmp_path, text, {"OTHER": "second"})
    assert settings.segment.shared_secrets == (Secret("first, with a comma"), Secret("second"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "which cannot be read: no such file"), (b" \n", "which is empty"), (b"\xff", "it is not UTF-8")],
)
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    [problem] = refused(tmp_path, f'[api]\ntokens = [{{file = "{tmp_path}/secret"}}]\n')
    assert problem.startswith("adapter.toml:2:1: `api.tokens` is read from `")
    assert reason in problem


@pytest.mark.parametrize(
    ("secret", "accepted"),
    [
        (WHSEC, True),
        ("whsec_" + "A" * 43, True),  # 32 bytes without padding
        ("v1," + WHSEC, False),
        ("whsec_" + "-_" * 16, False),
        ("my-plain-secret", False),
        ("whsec_" + "A" * 22, False),  # 16 bytes
        ("whsec_" + "A" * 87, False),  # 65 bytes
    ],
)
def test_a_signing_secret_is_checked_and_not_repeated(secret: str, accepted: bool, tmp_path: Path) -> None:
    text = (
        '[destinations.crm]\ntype = "webhook"\nurl = "https://crm.example/"\nsecrets = [{env = "SECRET"}]\n'
    )
    if accepted:
        assert given(tmp_path, text, {"SECRET": secret}).destinations.by_name.keys() == {"crm"}
        return
    [problem] = refused(tmp_path, text, {"SECRET": secret})
    assert "is not a Standard Webhooks secret" in problem
    assert secret not in problem
