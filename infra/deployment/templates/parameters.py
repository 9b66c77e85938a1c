"""Which value each parameter of a stack gets.

What is given (the stage's file, `--parameter`) or computed by the deployment is passed. All else
keeps the value of the deployment before, and has its default only the first time: what somebody set
once, such as the address that is paged, is not forgotten by the next deployment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.deployment.errors import DeployError
from infra.deployment.templates.reading import Declaration


@dataclass(frozen=True)
class Choice:
    """The values that a stack's parameters get."""

    passed: Mapping[str, str]
    kept: Mapping[str, str]
    """As the deployment before set them."""
    defaults: Mapping[str, str]

    @property
    def values(self) -> dict[str, str]:
        """All of them."""
        return {**self.defaults, **self.kept, **self.passed}

    def request(self) -> list[dict[str, Any]]:
        """As CloudFormation's API takes them."""
        return [
            *({"ParameterKey": n, "ParameterValue": v} for n, v in sorted(self.passed.items())),
            *({"ParameterKey": name, "UsePreviousValue": True} for name in sorted(self.kept)),
        ]

    def changes(self, before: Mapping[str, str]) -> Iterator[str]:
        """A line for each parameter that gets another value than it had."""
        for name, value in sorted(self.values.items()):
            old = before.get(name)
            if old is None:
                yield f"parameter {name}: {value!r} (new)"
            elif old != value:
                yield f"parameter {name}: {old!r} -> {value!r}"
        for name in sorted(before.keys() - self.values.keys()):
            yield f"parameter {name}: {before[name]!r} -> none (the template no longer has it)"


def choose(
    declared: Mapping[str, Declaration], given: Mapping[str, str], before: Mapping[str, str]
) -> Choice:
    """The value of each declared parameter.

    Raises DeployError naming those that have none.
    """
    passed = {name: value for name, value in given.items() if name in declared}
    kept = {n: before[n] for n in declared if n not in passed and n in before}
    rest = {n: d.default for n, d in declared.items() if n not in passed and n not in kept}
    missing = sorted(name for name, default in rest.items() if default is None)
    if missing:
        raise DeployError(f"no value for {', '.join(missing)}")
    return Choice(passed, kept, {n: default for n, default in rest.items() if default is not None})


def check_known(given: Collection[str], declared: Collection[str]) -> None:
    """Raises DeployError for parameters that nobody declares."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DeployError(
            f"no such parameter: {', '.join(unknown)} (there are {', '.join(sorted(declared))})"
        )
