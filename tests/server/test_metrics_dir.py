"""The metrics directory is kept while a process uses it, and otherwise removed by the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapter.errors import Unavailable
from adapter.server.metrics_dir import PREFIX, lock_metrics_dir, metrics_dir, remove_abandoned

#: Makes a directory, prints its name, and waits to be killed.
MAKER = """
import sys
from pathlib import Path
from adapter.server.metrics_dir import metrics_dir
with metrics_dir(Path(sys.argv[1])) as directory:
    print(directory, flush=True)
    sys.stdin.read()
"""


def killed(parent: Path) -> Path:
    """Return the directory of a process that made it and was killed."""
    command = [sys.executable, "-c", MAKER, str(parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        directory = Path(maker.stdout.readline().strip())
        maker.kill()
    return directory


def test_a_directory_is_removed_when_its_process_ends(tmp_path: Path) -> None:
    with metrics_dir(tmp_path) as directory:
        (directory / "counter_1.db").touch()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next_start(tmp_path: Path) -> None:
    left = killed(tmp_path)
    (left / "counter_1.db").touch()
    with metrics_dir(tmp_path) as directory:
        assert list(tmp_path.iterdir()) == [directory]


def test_a_directory_in_use_is_kept(tmp_path: Path) -> None:
    with metrics_dir(tmp_path) as first, metrics_dir(tmp_path) as second:
        assert {*tmp_path.iterdir()} == {first, second}


def test_a_folder_of_a_killed_process_stays_while_another_process_uses_it(tmp_path: Path) -> None:
    left = killed(tmp_path)
    lock = lock_metrics_dir(left)
    remove_abandoned(tmp_path)
    assert left.exists()
    os.close(lock)
    remove_abandoned(tmp_path)
    assert not left.exists()


def test_a_missing_directory_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        lock_metrics_dir(tmp_path / f"{PREFIX}gone")


@pytest.mark.parametrize("name", [f"{PREFIX}of-a-program-without-locks", "another"])
def test_directories_of_other_programs_are_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    remove_abandoned(tmp_path)
    assert (tmp_path / name).exists()


def test_the_target_of_a_link_is_kept(tmp_path: Path) -> None:
    left = killed(tmp_path).rename(tmp_path / "elsewhere")
    (tmp_path / f"{PREFIX}link").symlink_to(left)
    remove_abandoned(tmp_path)
    assert left.exists()


@pytest.mark.slow
def test_servers_that_start_and_end_concurrently_do_not_affect_each_other(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def start_and_end(number: int) -> bool:
        together.wait()
        whole = True
        for _ in range(100):
            with metrics_dir(tmp_path) as directory:
                os.close(lock_metrics_dir(directory))
                (directory / f"counter_{number}.db").touch()
                remove_abandoned(tmp_path)
                whole = whole and [*directory.glob("*.db")] == [directory / f"counter_{number}.db"]
        return whole

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(start_and_end, range(8)))
    assert list(tmp_path.iterdir()) == []
