"""The scripts on machines that lack something, and the pins they install."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NAMES = ("python3", "python3.11", "python3.12", "python3.13")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of what the scripts need, under a path with a space."""
    copy = tmp_path / "with space"
    copy.mkdir()
    shutil.copytree(ROOT / "scripts", copy / "scripts")
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def install(clone: Path, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/install where every Python is the shell script given."""
    fakes = clone / "fakes"
    fakes.mkdir()
    for name in NAMES:
        (fakes / name).write_text(f"#!/bin/sh\n{python}\n")
        (fakes / name).chmod(0o755)
    environ = {"PATH": f"{fakes}:{os.environ['PATH']}", "HOME": str(clone)}
    command = [str(clone / "scripts" / "install"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


@pytest.fixture
def edited(clone: Path) -> Path:
    """Return a clone with an environment, in which a user has replaced the starter files."""
    for name in ("adapter", "benchmarks", "deploy", "docs", "fixtures", "tests", ".ci"):
        shutil.copytree(ROOT / name, clone / name)
    for name in ("README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    (clone / ".venv").symlink_to(Path(sys.prefix))
    (clone / "scripts" / "check").write_text("#!/bin/sh\n")  # it installs, and lints what was not edited
    for name in ("mappings", "rules"):
        (clone / name).mkdir()
    (clone / "mappings" / "mine.yaml").write_text("source: segment\nmappings: []\n")
    (clone / "adapter.toml").write_text("[server]\nport = 1\n")
    return clone


#: Tests that fail on other files than the starters, or when the settings name secrets.
_READERS = ("tests/mapping/test_starter_cases.py", "tests/cli/test_check.py", "tests/cli/test_serve.py",
            "tests/docs/test_reference_pages.py", "tests/settings/test_adapter_toml.py")  # fmt: skip


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="it needs the environment of scripts/install")
def test_the_tests_pass_where_the_starter_files_were_edited_and_secrets_are_exported(edited: Path) -> None:
    exported = {
        "ADAPTER_SEGMENT_SHARED_SECRETS": "a secret of 24 characters",
        "ADAPTER_API_TOKENS": "another secret of 24 bytes",
        "ADAPTER_STORE": "postgresql://nobody@127.0.0.1:1/none",
        "ADAPTER_FILES_MAPPINGS": "/nowhere",
        "PGHOST": "nowhere.invalid",
    }
    ran = subprocess.run(
        [str(edited / "scripts" / "test"), "-q", "-n0", "-p", "no:cacheprovider", *_READERS],
        capture_output=True, text=True, env={**os.environ, **exported}, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "edited here: mappings rules adapter.toml; the tests run on the starter files" in ran.stderr


def test_an_old_python_is_reported_in_one_sentence(clone: Path) -> None:
    ran = install(clone, "exit 1")
    assert ran.returncode == 1
    assert ran.stderr == (
        "scripts/install: Python 3.11 or later is needed; "
        "install it, or name it with PYTHON=/path/to/python3.11\n"
    )


def test_a_missing_venv_module_is_reported_with_the_package_to_install(clone: Path) -> None:
    ran = install(clone, 'case "$2" in *ensurepip*) exit 1;; esac')
    assert ran.returncode == 1
    assert ran.stderr.endswith("install it with: apt-get install python3-venv\n")


def test_an_unreachable_registry_is_reported_in_one_sentence(clone: Path) -> None:
    pip = (
        'case "$2" in venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python;; pip) echo "$BROKEN"; exit 1;; esac'
    )
    ran = install(clone, f'BROKEN="Failed to establish a new connection: refused"; {pip}')
    assert ran.returncode == 1
    assert ran.stderr.endswith(
        "the package registry cannot be reached; check the network, or set PIP_INDEX_URL to a mirror\n"
    )


def test_an_installation_that_failed_is_tried_again_and_one_that_is_done_is_not(clone: Path) -> None:
    pip = 'case "$2" in venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python;; pip) test -e allowed;; esac'
    assert install(clone, pip).returncode == 1
    shutil.rmtree(clone / "fakes")
    (clone / "allowed").touch()
    again = install(clone, pip)
    assert (again.returncode, "installing" in again.stderr) == (0, True)
    shutil.rmtree(clone / "fakes")
    (clone / "allowed").unlink()
    done = install(clone, pip)
    assert (done.returncode, done.stderr) == (0, "")
    shutil.rmtree(clone / "fakes")
    with (clone / "pyproject.toml").open("a") as changed:
        changed.write("# a change\n")
    assert install(clone, pip).returncode == 1


def _install_browser(clone: Path, **fakes: str) -> subprocess.CompletedProcess[str]:
    """Run `scripts/install --browser` where there are the programs given, each a shell script."""
    tools = _only(clone, "sh", "dirname", "chmod")
    for name, script in fakes.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    environ = {"PATH": str(tools), "MADE": str(tools / "chromium")}
    command = [str(clone / "scripts" / "install"), "--browser"]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


#: What each machine has, and what the installation says there; nothing where it succeeds.
_HOW = (
    "the tests in a browser are skipped; on Debian install Chromium, as root, with: apt-get install chromium"
)
_MACHINES = {
    "Chromium is there": ({"chromium": "exit 0", "id": "echo 1000"}, ""),
    "no apt-get": ({"id": "echo 0"}, _HOW),
    "not root": ({"id": "echo 1000", "apt-get": "exit 0"}, _HOW),
    "a placeholder for a snap": ({"id": "echo 1000", "chromium-browser": "exit 1"}, _HOW),
    "no such package": (
        {"id": "echo 0", "apt-get": "exit 100"},
        f"apt-get could not install Chromium, so {_HOW}",
    ),
}


@pytest.mark.parametrize(("fakes", "said"), _MACHINES.values(), ids=_MACHINES)
def test_chromium_is_there_or_one_sentence_says_how_to_install_it(
    clone: Path, fakes: dict[str, str], said: str
) -> None:
    ran = _install_browser(clone, **fakes)
    assert ran.returncode == bool(said)
    assert ran.stderr.removeprefix("scripts/install: installing Chromium\n") == (
        f"scripts/install: {said}\n" if said else ""
    )
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("package", ["chromium-headless-shell", "chromium"])
def test_chromium_is_installed_by_apt_get_even_where_the_list_of_packages_is_old(
    clone: Path, package: str
) -> None:
    apt = (
        f'case "$*" in "-qq update") exit 100;; "-qq install --no-install-recommends {package}")'
        ' echo "#!/bin/sh" >"$MADE"; chmod 755 "$MADE";; *) exit 100;; esac'
    )
    ran = _install_browser(clone, **{"id": "echo 0", "apt-get": apt})
    assert (ran.returncode, ran.stderr) == (0, "scripts/install: installing Chromium\n")


@pytest.mark.parametrize("name", ["install", "serve", "check", "screenshots", "test", "test-cluster"])
def test_a_script_is_posix_shell_and_executable(name: str) -> None:
    script = ROOT / "scripts" / name
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", script], check=True)


def test_what_the_cluster_lacks_is_reported_in_one_sentence(clone: Path) -> None:
    ran = subprocess.run(
        ["/bin/sh", clone / "scripts" / "test-cluster"],
        capture_output=True, text=True, check=False, env={"PATH": str(_only(clone, "dirname"))},
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr == (
        "scripts/test-cluster: patroni is missing; on Debian and Ubuntu install it, as root, with: "
        "apt-get install patroni etcd-server postgresql\n"
    )


def _only(clone: Path, *tools: str) -> Path:
    """Return a folder with these tools alone."""
    folder = clone / "tools"
    folder.mkdir()
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return folder


@pytest.mark.parametrize(("where", "some"), [("tests", False), ("tests/cluster", True)])
def test_the_cluster_is_tested_only_when_it_is_asked_for(where: str, some: bool) -> None:
    others = [f"--ignore={one}" for one in (ROOT / "tests").iterdir() if one.name != "cluster"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        where,
        *others,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ("tests/cluster/test_failover.py" in ran.stdout) is some, ran.stdout + ran.stderr


def test_the_build_runs_what_developers_run() -> None:
    build = (ROOT / ".ci" / "run").read_text()
    assert build.index("scripts/install --browser || true") < build.index("exec scripts/test")


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    pins = (ROOT / "scripts" / "constraints.txt").read_text()
    pinned = {_plain(line) for line in pins.splitlines() if "==" in line}
    assert {_plain(one) for one in wanted} - pinned == set()


def _plain(requirement: str) -> str:
    """Return a requirement's name in its normal form (PEP 503)."""
    [name] = re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name.rstrip("-_.")).lower()
