"""Takes pictures of every page of the console, and shows them in docs/console.md: scripts/screenshots."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, get_args

import msgspec
from PIL import Image
from playwright.sync_api import Browser

from adapter.console.page import Page
from adapter.console.pages import PAGES
from tests.acceptance.conftest import ROOT, Server, own_process, servers
from tests.acceptance.receiver import SECRET
from tests.chromium import EXECUTABLE, running_chromium
from tests.console.addresses import PASSING, addresses
from tests.console.browsing import Scheme, new_context
from tests.console.filling import destinations, fill, rules_of_shop, serve_with, until
from tests.console.lapse import VARIABLE, Lapse
from tests.console.signing_in import visitor

PICTURES: Final = ROOT / "docs" / "images" / "console"
GUIDE: Final = ROOT / "docs" / "console.md"
PICTURED: Final = tuple(page for page in PAGES if page.path not in PASSING)
#: A picture is part of every clone.
MOST_BYTES: Final = 150_000
_START, _END = "<!-- pictures: scripts/screenshots writes this part -->", "<!-- end of the pictures -->"
#: What a page that changes by itself may take to draw.
_SETTLED_MS = 700


def name_of(page: Page) -> str:
    """Return the name of a page's pictures, without the scheme and `.png`."""
    return page.path.removeprefix("/console/").replace("/", "-")


def shown(guide: str) -> str:
    """Return the guide with its part of pictures as the pages are now."""
    parts = "\n\n".join(_picture(page) for page in PICTURED)
    return re.sub(
        f"{re.escape(_START)}.*{re.escape(_END)}",
        lambda _: f"{_START}\n\n{parts}\n\n{_END}",
        guide,
        flags=re.DOTALL,
    )


def _picture(page: Page) -> str:
    name = f"images/console/{name_of(page)}"
    return (
        f"### {page.title}\n\n<picture>"
        f'<source media="(prefers-color-scheme: dark)" srcset="{name}-dark.png">'
        f'<img src="{name}-light.png" width="820" alt="The page {page.title}"></picture>'
    )


@contextmanager
def shop() -> Iterator[Server]:
    """Run a server that has seen two days and an hour of a shop, in half a minute."""
    with TemporaryDirectory() as made, destinations() as settings, servers(Path(made), own_process) as start:
        folder = Path(made)
        lapse = Lapse.of(time.time() + 5, (timedelta(days=2), 14), (timedelta(hours=1), 16))
        program = str(Path(__file__).with_name("lapse.py"))
        environ = {
            VARIABLE: msgspec.json.encode(lapse).decode(),
            "SHOP_SECRET": SECRET,
            "PYTHONPATH": str(ROOT),
        }
        command, rules = serve_with(folder, settings, program), rules_of_shop(folder)
        server = start(rules=rules, command=command, **environ)
        hour = lapse.end - timedelta(hours=1)
        wait = partial(until, lapse.now)
        fill(server.url, lapse.start, hour, 110, wait)
        fill(server.url, hour, lapse.end, 70, wait)
        wait(lapse.end)
        yield server


def take(chromium: Browser, url: str, page: Page, scheme: Scheme) -> None:
    """Take the picture of a page."""
    context = new_context(chromium, scheme=scheme)
    opened = context.new_page()
    opened.goto(url)
    opened.wait_for_timeout(_SETTLED_MS)
    file = PICTURES / f"{name_of(page)}-{scheme}.png"
    picture = Image.open(BytesIO(opened.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    context.close()
    size = file.stat().st_size
    large = " is too large" if size > MOST_BYTES else ""
    sys.stdout.write(f"{file.relative_to(ROOT)}: {size // 1000} kB{large}\n")


def main() -> None:
    if EXECUTABLE is None:
        raise SystemExit(
            "scripts/screenshots: Chromium is missing; install it with: scripts/install --browser"
        )
    wanted = set(sys.argv[1:]) or {name_of(page) for page in PICTURED}
    PICTURES.mkdir(parents=True, exist_ok=True)
    with shop() as server, running_chromium() as chromium:
        with visitor(server.url) as client:
            found = addresses(client)
        for page in PICTURED:
            if name_of(page) in wanted:
                for scheme in get_args(Scheme):
                    take(chromium, server.url + found[page.path], page, scheme)
    GUIDE.write_text(shown(GUIDE.read_text()))


if __name__ == "__main__":
    main()
