"""Who may run a job as a role: the role's trust policy must name the Glue service."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.glue.jobruns.roles import SERVICE, trusts

GLUE = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
LAMBDA = GLUE | {"Principal": {"Service": "lambda.amazonaws.com"}}


@pytest.mark.parametrize(
    ("statements", "trusted"),
    [
        ([GLUE], True),
        (GLUE, True),
        ([LAMBDA, GLUE], True),
        ([GLUE | {"Principal": {"Service": ["lambda.amazonaws.com", SERVICE]}}], True),
        ([GLUE | {"Action": ["sts:TagSession", "sts:AssumeRole"]}], True),
        ([LAMBDA], False),
        ([GLUE | {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}], False),
        ([GLUE | {"Action": "sts:TagSession"}], False),
        ([GLUE, GLUE | {"Effect": "Deny"}], False),
        ([], False),
    ],
)
def test_only_a_policy_that_names_glue_trusts_glue(statements: Any, trusted: bool) -> None:
    assert trusts({"Version": "2012-10-17", "Statement": statements}, SERVICE) is trusted
