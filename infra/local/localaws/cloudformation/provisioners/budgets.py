"""`AWS::Budgets::Budget`, which ministack's CloudFormation lacks; Budgets itself it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import budgets

from localaws.cloudformation.provisioners.registry import (
    Made,
    provide,
    replaceable,
    succeed,
)


def register() -> None:
    """Add the type."""
    provide("AWS::Budgets::Budget", *replaceable(_create, _delete, same_name=True))


def _create(_logical_id: str, properties: Mapping[str, Any], _stack_name: str) -> Made:
    budget = dict(properties["Budget"])
    limit = budget["BudgetLimit"]
    budget["BudgetLimit"] = {"Amount": str(limit["Amount"]), "Unit": limit["Unit"]}
    notifications = properties.get("NotificationsWithSubscribers", [])
    wanted = {"Budget": budget, "NotificationsWithSubscribers": notifications}
    succeed(f"CreateBudget {budget['BudgetName']}", budgets._create_budget(wanted))  # noqa: SLF001
    return budget["BudgetName"], {}


def _delete(name: str, _properties: Mapping[str, Any]) -> None:
    succeed(f"DeleteBudget {name}", budgets._delete_budget({"BudgetName": name}))  # noqa: SLF001
