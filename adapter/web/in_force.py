"""The settings that endpoints are built from, which a reload replaces as a whole."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from adapter.settings.values import Settings
from adapter.sources.opendsr import Certificate


class InForce(Struct):
    """The settings, with what of them is read from files: the certificate that verifies OpenDSR requests."""

    settings: Settings
    opendsr: Certificate | None = None

    @classmethod
    def of(cls, settings: Settings) -> InForce:
        """Return the settings with what they name; raises InvalidFiles."""
        return cls(settings, Certificate.read(settings.mparticle.opendsr_certificate))

    def replace(self, fresh: InForce) -> None:
        """Use others from now on."""
        self.settings, self.opendsr = fresh.settings, fresh.opendsr


class WebReload:
    """Exchanges the settings in force, then has `rebuild` build the endpoints from them."""

    def __init__(self, in_force: InForce, rebuild: Callable[[], None]) -> None:
        self._in_force = in_force
        self._rebuild = rebuild

    async def prepare(self, fresh: Settings) -> Callable[[], None]:
        """Read the certificate, and return what exchanges; raises InvalidFiles."""
        replacement = InForce.of(fresh)

        def exchange() -> None:
            self._in_force.replace(replacement)
            self._rebuild()

        return exchange
