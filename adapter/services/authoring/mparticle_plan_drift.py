"""What is different in a data plan at mParticle from the plan that the data model gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.datamodel.declarations import DataModel, Declared
from adapter.datamodel.exporting import mparticle_data_plan
from adapter.datamodel.importing.mparticle_plan import mparticle_plan
from adapter.services.authoring.mparticle_types import DataPlan, PlanVersion
from adapter.services.authoring.segment_drift import Drift


def plan_drift(plan: DataPlan | None, model: DataModel | None) -> Iterator[Drift]:
    """Yield the differences of the version that counts from the model; none without a model."""
    if model is None:
        return
    ours = mparticle_data_plan(model).plan
    if plan is None or not plan.data_plan_versions:
        yield Drift(f"data plan {ours['data_plan_id']}", None, "the data model")
        return
    version = max(plan.data_plan_versions, key=_precedence)
    if version.activated_environment == "none":
        yield Drift(f"data plan {plan.data_plan_id}.active in", "none", "production")
    theirs = _described(mparticle_plan(version.version_document).model)
    wanted = _described(mparticle_plan(ours).model)
    for name in dict.fromkeys((*wanted, *theirs)):
        if wanted.get(name) != theirs.get(name):
            yield Drift(f"data plan {plan.data_plan_id}.{name}", theirs.get(name), wanted.get(name))


def _precedence(version: PlanVersion) -> tuple[bool, bool, int]:
    """Return what orders versions: that of production counts, then that of development, then the latest."""
    environment = version.activated_environment
    return environment == "production", environment == "development", version.version


def _described(model: DataModel) -> dict[str, Any]:
    """Return the declarations of a model by their path, each with its type and constraints."""
    groups = {"user attributes": model.traits}
    groups |= {f"event {name}": event.attributes for name, event in model.events.items()}
    empty: dict[str, Any] = {f"event {name}": {} for name in model.events}
    return empty | {
        path: told for group, declared in groups.items() for path, told in _below(group, declared)
    }


def _below(at: str, declared: Mapping[str, Declared]) -> Iterator[tuple[str, Any]]:
    for name, one in declared.items():
        told = {"type": str(one.type), **({"required": True} if one.required else {})}
        yield f"{at}.{name}", told | one.constraints.plain()
        yield from _below(f"{at}.{name}", one.of)
