"""The screens, one module each: what a page shows, and the acts on it.

A module has `PAGES`, and `ACTIONS` and `DOWNLOADS` where it has any; it is named here. The navigation has the
pages in this order.
"""

from __future__ import annotations

from typing import Final

from adapter.console.page import Action, Download, Page, UploadAction
from adapter.console.pages import (
    audit,
    customer,
    deliveries,
    discounts,
    events,
    imports,
    now,
    playground,
    quarantine,
    redemptions,
    rules,
    simulations,
)

PAGES: Final[tuple[Page, ...]] = (
    *now.PAGES,
    *events.PAGES,
    *playground.PAGES,
    *rules.PAGES,
    *customer.PAGES,
    *discounts.PAGES,
    *redemptions.PAGES,
    *quarantine.PAGES,
    *deliveries.PAGES,
    *imports.PAGES,
    *simulations.PAGES,
    *audit.PAGES,
)
ACTIONS: Final[tuple[Action | UploadAction, ...]] = (
    *customer.ACTIONS,
    *discounts.ACTIONS,
    *quarantine.ACTIONS,
    *deliveries.ACTIONS,
    *imports.ACTIONS,
    *playground.ACTIONS,
    *rules.ACTIONS,
    *simulations.ACTIONS,
)
DOWNLOADS: Final[tuple[Download, ...]] = (
    *events.DOWNLOADS,
    *customer.DOWNLOADS,
    *imports.DOWNLOADS,
    *simulations.DOWNLOADS,
    *audit.DOWNLOADS,
)
