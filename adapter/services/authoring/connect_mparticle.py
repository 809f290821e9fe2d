"""The settings of mParticle's Webhook output as a checklist.

mParticle configures outputs on its pages only: no API creates one. docs/mparticle.md has their meanings.
"""

from __future__ import annotations

from msgspec import Struct


class Step(Struct, frozen=True):
    """One thing to do: where, what to write there, and why where that is not plain."""

    where: str
    write: str
    why: str = ""


def steps(address: str, *, authorized: bool, data_plan: str = "") -> list[Step]:
    """Return what to do, in order; `address` is the public one of the adapter, without a slash at its end.

    `authorized` says whether the settings have an Authorization header for mParticle; `data_plan` is the file
    of the data plan, empty without one. What the shop decides by its privacy rules is not among them.
    """
    header = "the value of ADAPTER_MPARTICLE_AUTHORIZATIONS, whole: Bearer ..."
    first = [] if authorized else [Step("This server", "set ADAPTER_MPARTICLE_AUTHORIZATIONS, and restart",
                                        "mParticle signs nothing: the header is the only proof")]  # fmt: skip
    api = "https://api.mparticle.com/platform/v2/workspaces/WORKSPACE_ID/plans"
    plan = (
        [Step("Data Master > Plans", f"the plan in {data_plan}", f"by API: POST {api}")] if data_plan else []
    )
    return [
        *first,
        Step("Setup > Outputs > Add Event Output", "Webhook"),
        Step("Configuration > POST URL", f"{address}/webhooks/mparticle"),
        Step("Configuration > Authorization Header", header),
        Step("Configuration > Include MP DeviceId", "True", "limits can count devices too"),
        Step("Connection of each input > Unique ID", "the default", "not used"),
        Step("Connection of each input > Send as Batch", "False", "True delays events by about ten minutes"),
        Step("Connection of each input > Wait for Complete Batch", "False"),
        Step("Connection of each input > Send Custom, Screen View and Commerce Events", "True"),
        *(Step(f"Connection of each input > Send {kind} Events", "False", "no starter mapping takes them")
          for kind in ("Lifecycle", "Crash", "Network Performance", "Push")),
        Step("Connection of each input > Include Metadata", "True", "rules read it as `context`"),
        Step("Connection of each input > Include User Attribute and Identity Change Events", "False",
             "batches have the whole profile anyway; True is harmless"),
        Step("Connection of each input > Send Batches without Events", "True", "profile updates arrive so"),
        Step("Connection of each input > Send Alias Requests", "True", "merges an anonymous past"),
        Step("Connection of each input > Raw Data Feed", "False"),
        Step("For audiences: the partner module (Firehose) > URL", f"{address}/webhooks/mparticle/firehose"),
        Step("For erasures: the OpenDSR processor > URL", f"{address}/webhooks/mparticle/opendsr",
             "set mparticle.opendsr_certificate first"),
        *plan,
        Step("This server", "adapter tail --source mparticle", "shows what arrives, and what becomes of it"),
    ]  # fmt: skip
