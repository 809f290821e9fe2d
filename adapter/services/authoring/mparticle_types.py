"""What mParticle's Platform API and Data Planning API answer, as far as it is compared.

https://docs.mparticle.com/developers/apis/platform/ (members in camel case and with underscores, as there)
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

#: Identifiers are numbers in some answers and texts in others.
Id = int | str


class Account(Struct, frozen=True):
    """An account of the organisation."""

    id: Id
    name: str = ""


class Setting(Struct, frozen=True):
    """A setting with its value, of which asterisks replace a confidential one."""

    name: str
    value: Any = None


class AvailableService(Struct, frozen=True):
    """A service that an account can use."""

    name: str


class ConfiguredService(Struct, frozen=True):
    """An output of a platform of an app: its configuration, with the settings of the connection."""

    name: str
    account: str | None = None
    isActive: bool = False  # noqa: N815 - as the API has it
    settings: list[Setting] = []


class Platform(Struct, frozen=True):
    """A platform of an app: `iOS`, `Android`, `MobileWeb`."""

    os: str


class App(Struct, frozen=True):
    """An app with its platforms, which are the inputs of SDKs."""

    id: Id
    name: str
    platforms: list[Platform] = []


class DataFilter(Struct, frozen=True):
    """Whether something is sent to an output: an event, a screen view, or an attribute of one."""

    name: str
    type: str
    attribute_name: str | None = None
    enabled: bool = True


class Filtering(Struct, frozen=True):
    """Whether an output gets what the filters of an app do not name yet."""

    sendNewDataPointsByDefault: bool = True  # noqa: N815 - as the API has it


class AppFilters(Struct, frozen=True):
    """The filters of an app for the Webhook output."""

    app: str
    new: bool
    filters: list[DataFilter]


class Feed(Struct, frozen=True):
    """An input from a server or partner; `is_debug` sends it to the development environment."""

    id: Id
    name: str
    is_debug: bool = False


class OutputConfiguration(Struct, frozen=True):
    """A configuration of an output in a workspace, without its settings."""

    id: Id
    name: str = ""


class Subscription(Struct, frozen=True):
    """The connection of a feed with the configuration of an output; it does not name the feed."""

    id: Id
    service_configuration_id: Id
    is_active: bool = False
    config_name: str | None = None
    settings: list[Setting] = []


class PlanVersion(Struct, frozen=True):
    """A version of a data plan; it is active in an environment, or in `none`."""

    version: int = 0
    activated_environment: str = "none"
    version_document: dict[str, Any] = {}


class DataPlan(Struct, frozen=True):
    """A data plan with its versions."""

    data_plan_id: str
    data_plan_versions: list[PlanVersion] = []


class Output(Struct, frozen=True):
    """A Webhook output at a platform of an app; `input` is `APP iOS`."""

    input: str
    service: ConfiguredService


class Workspace(Struct, frozen=True):
    """What was read of a workspace; `service` is the name of the Webhook output, empty where there is none.

    `inputs` are all platforms of apps, with or without an output. `plan` is None where there is none.
    """

    service: str
    inputs: list[str]
    outputs: list[Output]
    filters: list[AppFilters]
    feeds: list[Feed]
    configurations: list[OutputConfiguration]
    subscriptions: list[Subscription]
    plan: DataPlan | None
