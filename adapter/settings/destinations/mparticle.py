"""The settings of mParticle as a destination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from adapter.files.problems import did_you_mean
from adapter.settings.destinations.base import (
    Wrong,
    url_problems,
    variable,
)
from adapter.settings.destinations.profiles import ProfileSettings
from adapter.settings.scalars import Secret

#: Source: mParticle/docs, `developers/data-localization`.
PODS: Final = {pod: f"https://s2s.{pod}.mparticle.com" for pod in ("us1", "us2", "eu1", "au1")}
#: The kinds of identities that a batch may have beside `customer_id` and `email`, which are always sent.
IDENTITY_TYPES: Final = (
    "other", *(f"other_id_{number}" for number in range(2, 11)), "mobile_number", "phone_number_2",
    "phone_number_3", "facebook", "twitter", "google", "microsoft", "yahoo", "facebook_custom_audience_id",
)  # fmt: skip


class MParticle(ProfileSettings, frozen=True, kw_only=True):
    """A destination of type `mparticle`: the Events API of one input."""

    type: Literal["mparticle"] = "mparticle"
    pod: str = ""
    key: Secret = Secret()
    secret: Secret = Secret()
    identities: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The URL before `/v2`; of a URL that was pasted whole only the host counts."""
        if self.pod in PODS:
            return PODS[self.pod]
        parts = urlsplit(self.pod)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def identity_types(self) -> Mapping[str, str]:
        """mParticle's name of each kind of identity that `identities` lists as `kind:name`.

        The name is empty for a kind that is left out on purpose.
        """
        pairs = (entry.partition(":") for entry in self.identities)
        return {kind.strip(): name.strip() for kind, _, name in pairs}

    def problems(self, name: str) -> Iterator[Wrong]:
        """Yield what is wrong with the settings of mParticle as a destination."""
        yield from super().problems(name)
        if not self.pod:
            yield "pod", "is missing", "write the data centre of the workspace: " + ", ".join(PODS)
        elif self.pod not in PODS and "://" not in self.pod:
            yield "pod", "is no data centre", did_you_mean(self.pod, PODS)
        elif self.pod not in PODS:
            yield from url_problems("pod", self.pod, private=self.allow_private_addresses)
        for setting, value in (("key", self.key), ("secret", self.secret)):
            if not value:
                remedy = f"set {variable(name, setting)}: the credentials of a server to server input"
                yield setting, "is missing", remedy
        yield from _identities_problems(self)


def _identities_problems(mparticle: MParticle) -> Iterator[Wrong]:
    if any(":" not in entry for entry in mparticle.identities):
        yield "identities", "has an entry without a colon", "write each as `loyalty_no:other_id_2`"
        return
    names = [name for name in mparticle.identity_types.values() if name]
    unknown = next((each for each in names if each not in IDENTITY_TYPES), None)
    if unknown is not None:
        message = f"has `{unknown}`, which mParticle does not know"
        yield "identities", message, did_you_mean(unknown, IDENTITY_TYPES)
    if len(set(names)) < len(names):
        yield "identities", "sends two kinds as one", "give each a name of its own"
