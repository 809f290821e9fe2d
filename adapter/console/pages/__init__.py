"""The screens, one module each: what a page shows, and the acts on it.

A module has `PAGES`, and `ACTIONS` and `DOWNLOADS` where it has any; it is named here. The navigation has the
pages in this order.
"""

from __future__ import annotations

from typing import Final

from adapter.console.page import Action, Download, Page, UploadAction
from adapter.console.pages import audit, now

PAGES: Final[tuple[Page, ...]] = (*now.PAGES, *audit.PAGES)
ACTIONS: Final[tuple[Action | UploadAction, ...]] = ()
DOWNLOADS: Final[tuple[Download, ...]] = (*audit.DOWNLOADS,)
