"""Resources that a condition adds or takes away, among what a change set says it changes.

ministack compares what both templates declare, made or not, and says of a change of conditions
alone that it is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import changesets, engine


def register() -> None:
    """Have ministack compare what is made; call it once in a process."""
    resolve = changesets._resolve_props_for_diff  # noqa: SLF001

    def of_what_is_made(
        template: Mapping[str, Any], params: Mapping[str, Any], *place: str
    ) -> dict[str, Any]:
        resolved: dict[str, Any] = resolve(template, params, *place)
        if not resolved:
            return resolved
        conditions = engine._evaluate_conditions(template, params)  # noqa: SLF001
        made = {
            name: resource
            for name, resource in resolved["Resources"].items()
            if conditions.get(resource.get("Condition"), True)
        }
        return {**resolved, "Resources": made}

    changesets._resolve_props_for_diff = of_what_is_made  # noqa: SLF001
