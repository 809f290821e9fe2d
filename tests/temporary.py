"""Where tests put their files: in memory, where the system has a folder for that with enough room."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
#: A whole run needs less than half of that.
_ROOM = 4 * 1024**3


def in_memory() -> None:
    """Have temporary files of this process, and of those that it starts, in memory; TMPDIR prevents that."""
    if "TMPDIR" not in os.environ and _has_room():
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _has_room() -> bool:
    return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
