"""No configuration ends in a traceback: `adapter check` and `adapter serve` name the setting, or work."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from adapter.destinations.base import checked_url
from adapter.errors import AdapterError
from adapter.server import serve
from adapter.settings.fields import FIELDS, Keys
from adapter.settings.load import read
from adapter.settings.web_address import url_problem

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MAPPING = """source: segment
mappings:
  - {name: Event, subscribe: type = "track", action: event,
     fields: {source_id: {"@path": $.userId}, name: {"@path": $.event}}}
"""
RULE = """name: ten
trigger: order_completed
conditions: [total >= 10]
action: {type: percentage_off, value: 10, max_amount: 5}
"""
ODD = yaml.safe_load(Path(__file__).with_name("odd_values.yaml").read_text())
HOSTS = [*ODD["hosts"], "a" * 64 + ".example", ("a" * 63 + ".") * 4 + "example"]
WORDS = [*ODD["words"], "a" * 5_000, "whsec_" + "ü" * 40, "whsec_" + "A" * 1000, "a\udcff"]
PATHS = [*ODD["paths"], "/" + "a" * 300]
TEXTS = (
    "[" * 5_000, "a = " + "[" * 5_000, "[server]\nport = " + "1" * 5_000, "a = 0x" + "f" * 5_000, "a.b.c = 1",
    "\ufeff[server]", "server = 1", "[[server]]", "port = 1e400", "a = 2026-13-40", 'a = "\\ud800"',
)  # fmt: skip

hosts = st.sampled_from(HOSTS) | st.text(max_size=12)
urls = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}{path}",
    st.sampled_from(["https"] * 20 + ODD["schemes"]), hosts, st.sampled_from([""] * 9 + ODD["ports"]),
    st.sampled_from(["/"] * 9 + PATHS),
)  # fmt: skip
strings = st.sampled_from(WORDS) | hosts | urls | st.text(max_size=8)
scalars = (
    strings | st.integers(-(2**70), 2**70) | st.sampled_from([0, 1, 2, 80, 1024, 65535]) | st.floats()
    | st.booleans() | st.sampled_from([date(2026, 1, 1), time(1, 2), datetime(2026, 1, 1, 1, 2, tzinfo=UTC)])
)  # fmt: skip
references = st.builds(lambda name: {"env": name}, st.sampled_from(["NAME", "", "\0", "a=b"]) | scalars)
values = st.recursive(
    scalars | references,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
#: Those that name a place outside of the test, or would make the server a public one.
_ELSEWHERE = re.compile(r"^(sqlite:////|/|~)|[a-z]\.(com|net|example)|^\d", re.IGNORECASE)


def literal(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, str):
        escaped = (f"\\U{ord(char):08X}" if char < " " or char in '"\\\x7f' else char for char in value)
        return f'"{"".join(escaped)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(value) if math.isfinite(value) and "e" not in str(value) else "nan"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)} = {literal(each)}' for key, each in value.items())}}}"
    return value.isoformat() if isinstance(value, date | time) else str(value)


def written(chosen: dict[Keys, Any]) -> str:
    return "".join(f"{'.'.join(keys)} = {literal(value)}\n" for keys, value in chosen.items())


@contextmanager
def exported(environ: dict[str, str]) -> Iterator[None]:
    """Export variables; text that no variable can hold is left out."""
    kept = {name: text for name, text in environ.items() if "\0" not in text and _encodable(text)}
    os.environ.update(kept)
    try:
        yield
    finally:
        for name in kept:
            del os.environ[name]


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


Try = Callable[[str, dict[str, str]], None]


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Check a configuration, and start with it up to the moment when the server would listen."""
    for name in ("mappings", "rules"):
        (tmp_path / name).mkdir()
    (tmp_path / "mappings" / "m.yaml").write_text(MAPPING)
    (tmp_path / "rules" / "r.yaml").write_text(RULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve._Server, "run", lambda self: setattr(self, "started", True))
    monkeypatch.setattr(serve, "tune", lambda: None)
    monkeypatch.setattr(serve, "_serve_with_workers", lambda *_: None)

    def run(text: str, environ: dict[str, str]) -> None:
        (tmp_path / "adapter.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
        with exported({"ADAPTER_SERVER_PORT": "0", "NAME": "in the environment", **environ}):
            checked = CliRunner().invoke(commands, ["check"])
            expect_sentences(checked)
            served = CliRunner().invoke(commands, ["serve"])
            expect_sentences(served)
        if checked.exit_code == 0 and served.exit_code:
            assert served.stderr.startswith("adapter: "), served.stderr

    return run


def expect_sentences(result: Result) -> None:
    """A command that ends with 1 has said why, one sentence a line, with a place or with its name."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1)
    if result.exit_code:
        lines = (result.stdout + result.stderr).splitlines()
        assert lines
        assert all(re.match(r"adapter: |.+:\d+:\d+: |\{", line) for line in lines), lines


def _safe(keys: Keys, value: Any) -> bool:
    """Whether the test may try it: not a store elsewhere on this machine, nor a name to be looked up."""
    if keys == ("store", "url"):
        return not _ELSEWHERE.search(str(value)) and not (
            "postgres" in str(value) and "127.0.0.1:1/" not in str(value)
        )
    return keys != ("server", "host") or not _ELSEWHERE.search(str(value))


chosen_settings = st.dictionaries(st.sampled_from(sorted(FIELDS)), values, max_size=4).filter(
    lambda chosen: all(_safe(keys, value) for keys, value in chosen.items())
)
anyhow = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def test_the_configuration_of_this_test_works(attempt: Try) -> None:
    attempt("", {})
    assert "settings, mappings and rules are in order" in CliRunner().invoke(commands, ["check"]).stdout


@pytest.mark.slow
@anyhow
@given(chosen=chosen_settings)
def test_any_values_in_the_file(chosen: dict[Keys, Any], attempt: Try) -> None:
    attempt(written(chosen), {})


@pytest.mark.slow
@anyhow
@given(
    chosen=st.dictionaries(st.sampled_from(sorted(FIELDS)), strings, max_size=4).filter(
        lambda chosen: all(_safe(keys, value) for keys, value in chosen.items())
    )
)
def test_any_values_in_the_environment(chosen: dict[Keys, str], attempt: Try) -> None:
    attempt("", {FIELDS[keys].variable: value for keys, value in chosen.items()})


@pytest.mark.slow
@anyhow
@given(url=urls, private=st.booleans())
def test_any_url_of_a_webhook(url: str, private: bool, attempt: Try) -> None:
    """With all else in order, so that the URL alone decides."""
    webhook = ("destinations", "webhook")
    text = written({(*webhook, "url"): url, (*webhook, "allow_private_addresses"): private})
    attempt(text, {"ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": WHSEC})


@pytest.mark.slow
@anyhow
@given(text=st.text(max_size=40) | st.sampled_from(TEXTS))
def test_any_text_of_a_file(text: str, attempt: Try) -> None:
    attempt(text, {})


@pytest.mark.slow
@pytest.mark.parametrize("start", ["postgresql://127.0.0.1:1", "sqlite://", "sqlite:///data"])
async def test_any_url_of_a_store(start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in [*PATHS, *(f"/{word}" for word in WORDS if not word.startswith("/"))]:
        store: dict[Keys, Any] = {("store", "url"): start + path}
        chosen, problems = read(None, {}, store)
        if chosen is None or problems:
            assert problems
            continue
        if start == "sqlite://" and path.startswith("//"):
            continue  # a place outside of the test
        with suppress(AdapterError):
            await serve.try_store(chosen.store.url)


@pytest.mark.slow
@given(url=urls)
@settings(max_examples=2_000)
def test_a_webhook_can_be_sent_to_every_url_that_passes(url: str) -> None:
    if url_problem(url) is None and "@" not in url:
        assert checked_url(url, allow_http=True).host


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["", "/a"])
def test_every_listed_host_is_checked(host: str, path: str) -> None:
    test_a_webhook_can_be_sent_to_every_url_that_passes.hypothesis.inner_test(f"https://{host}{path}")


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://ä.example:8443/x?y=ü", "http://localhost/", "https://10.0.0.1/",
            "https://[2001:db8::1]:443/a", "https://a_b.example./", "https://xn--4ca.example/"]
)  # fmt: skip
def test_a_web_address_passes(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url", ["https://0177.0.0.1/", "https://①②⑦.0.0.1/", "https://xn--a/", "https://0x7f.1/", "https://127.1/",
            "https://2130706433/", "https://a..b/", "https://h:0/", "https://h:65536/", "https://exa mple/",
            "https://[fe80::1%25eth0]/", "https://-a.example/", "https:///a", "ftp://a.example/", "a.example"]
)  # fmt: skip
def test_an_invalid_origin_is_refused_with_its_place(url: str, tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(f"# a comment\n[destinations.webhook]\n  url = {literal(url)}\n", encoding="utf-8")
    _, problems = read(file, {"ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": WHSEC})
    assert [(problem.mark.line, problem.mark.column) for problem in problems] == [(3, 3)]
    assert all(url not in problem.message for problem in problems), "its path may be a secret"
