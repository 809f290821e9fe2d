"""Files as they are in a Git revision."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from adapter.errors import Refused


def written(revision: str, folder: Path, into: Path) -> Path:
    """Write a folder as it is in a revision of its repository into another folder, and return it.

    Raises Refused when there is no such repository, revision or folder.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    inside = folder.resolve().relative_to(top)
    commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    archive = _git(top, "archive", "--format=tar", commit, str(inside))
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(into, filter="data")
    return into / inside


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)  # noqa: S603, S607 - the user's own git
    except FileNotFoundError:
        raise Refused("`git` is not installed: name a folder in the place of a revision") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise Refused(f"{said or f'there is no revision of that name in {folder}'}") from None
    return done.stdout
