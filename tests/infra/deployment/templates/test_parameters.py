"""Which values a stack's parameters get, and what is said about it."""

from __future__ import annotations

import pytest
from infra.deployment.errors import DeployError
from infra.deployment.templates.parameters import check_known, choose
from infra.deployment.templates.reading import Declaration

DECLARED = {
    "PagingEmail": Declaration(""),
    "LockDays": Declaration("365"),
    "Stage": Declaration(None),
}


def test_a_value_that_is_not_given_is_kept_and_only_the_first_time_the_default() -> None:
    before = {"PagingEmail": "ops@example.com", "Stage": "dev"}
    choice = choose(DECLARED, {"Stage": "dev", "Elsewhere": "x"}, before)
    assert choice.values == {"PagingEmail": "ops@example.com", "LockDays": "365", "Stage": "dev"}
    assert choice.request() == [
        {"ParameterKey": "Stage", "ParameterValue": "dev"},
        {"ParameterKey": "PagingEmail", "UsePreviousValue": True},
    ]


def test_what_changes_is_told() -> None:
    before = {"PagingEmail": "ops@example.com", "Stage": "dev", "Gone": "1"}
    choice = choose(DECLARED, {"Stage": "dev", "PagingEmail": ""}, before)
    assert list(choice.changes(before)) == [
        "parameter LockDays: '365' (new)",
        "parameter PagingEmail: 'ops@example.com' -> ''",
        "parameter Gone: '1' -> none (the template no longer has it)",
    ]


def test_parameters_without_a_value_are_named() -> None:
    with pytest.raises(DeployError, match="no value for Stage"):
        choose(DECLARED, {}, {})


def test_unknown_parameters_are_named() -> None:
    with pytest.raises(DeployError, match=r"no such parameter: LockDay \(there are LockDays\)"):
        check_known({"LockDay": "2"}, {"LockDays"})
