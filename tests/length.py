"""How long tests run that find more the longer they run: `scripts/test --long` runs them at full length.

An ordinary run has each of them at a short length, at which its broken variants are still caught. Random
tests try 100 examples in either; where an example is a store with its traffic, the test names a smaller
number, why, and its full length.

Marked `long`, and so in `--long` alone, are two tests that install all packages from a registry into an
environment of their own, for a minute and more each: the steps of the image (deploy/test_files.py), and the
page for a start with the built wheel (docs/test_start.py). An ordinary run has the commands of that page on
this folder, what the wheel carries, and what the image's files say. So is the check of killed timers
(services/test_timers_killed.py): its broken variants need the ten rounds of kills to be caught.
"""

from __future__ import annotations

import os

LONG = os.environ.get("TESTS_LONG") == "1"


def length(short: int, long: int) -> int:
    """Return one of two lengths of a test, in whatever it counts."""
    return long if LONG else short
