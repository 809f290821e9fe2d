"""docs/core.md: its settings load, and its calls get discounts from the two instances that they describe."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import httpx
import pytest

from adapter.app import App, compose
from adapter.settings import load
from tests.core.conftest import Instance
from tests.core.peers import wire_to

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "core.md").read_text(encoding="utf-8")
ENVIRON = {"CORE_TOKEN": "core-token", "ADMIN_TOKEN": "admin-token"}


def composed(name: str, folder: Path, **replaced: str) -> App:
    """Compose the instance of a file of the page, with its store in a folder."""
    [text] = re.findall(rf"`{name}`.*?```toml\n(.*?)```", PAGE, re.DOTALL)
    text = text.replace("sqlite:///data", f"sqlite:///{folder}")
    for old, new in replaced.items():
        text = text.replace(old, new)
    (folder / name).write_text(text)
    return compose(load.load(folder / name, ENVIRON))


def calls() -> list[tuple[str, str, dict[str, str], str | None]]:
    """Return port, path, headers and body of each curl of the page."""
    found = []
    for command in re.findall(r"```sh\n(curl .*?)```", PAGE, re.DOTALL):
        words = shlex.split(re.sub(r"\$(\w+)", lambda name: ENVIRON[name[1]], command))
        url = next(re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/.*)", word) for word in words if "://" in word)
        assert url is not None
        headers = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "-H")
        body = words[words.index("-d") + 1] if "-d" in words else None
        found.append((url[1], url[2], headers, body))
    return found


async def test_the_calls_of_the_page_get_discounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    core = composed("core.toml", tmp_path)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(core.asgi), base_url="http://127.0.0.1")
    async with core.running(), client, wire_to(Instance(core, client)) as wire:
        edge = composed("edge.toml", tmp_path, **{"http://127.0.0.1:8001": wire.url, "= 500": "= 2900"})
        other = httpx.AsyncClient(transport=httpx.ASGITransport(edge.asgi), base_url="http://127.0.0.1")
        async with edge.running(), other:
            answers = []
            for port, path, headers, body in calls():
                method = "GET" if body is None else "POST"
                at = client if port == "8001" else other
                response = await at.request(method, path, headers=headers, content=body)
                assert response.status_code == 200, response.text
                answers.append(response.json())
    sent, read, evaluated = answers
    [discount] = sent["results"][0]["discounts"]
    assert [each["code"] for each in read["discounts"]] == [discount["code"]]
    assert [each["outcome"] for each in evaluated["results"]] == ["processed", "processed"]
    assert len(evaluated["results"][1]["discounts"]) == 1
