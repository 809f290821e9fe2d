"""The interpreter, set up for many messages or rows."""

from __future__ import annotations

import gc
import sys


def tune() -> None:
    """Configure the interpreter for the hot path of a server or an import.

    Messages and rows are trees that reference counting frees, so the cyclic collector finds nothing in
    them. By default it runs after every few hundred containers. Here it runs less often, though often enough
    that a run is short, and ignores objects that live as long as the process. The thread that commits gets
    the interpreter back within 0.1 ms; by default, it may wait 5 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    sys.setswitchinterval(0.0001)
