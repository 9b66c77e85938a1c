"""`cloudwatch:namespace`, by which a policy says to which metrics a number may be added.

ministack does not know this condition key ("Actions, resources, and condition keys for Amazon
CloudWatch" in AWS's Service Authorization Reference).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions

_KEY = "cloudwatch:namespace"
_ACTION = "cloudwatch:PutMetricData"


def register() -> None:
    """Have ministack's evaluator know it; call it once in a process."""
    known = iam_actions.request_tag_context

    def with_namespace(
        service: str, action: str, body: bytes, query: Mapping[str, Any]
    ) -> dict[str, Any]:
        context: dict[str, Any] = known(service, action, body, query)
        return context | ({_KEY: namespace_of(body)} if action == _ACTION else {})

    iam_actions.request_tag_context = with_namespace


def namespace_of(body: bytes) -> str:
    """The namespace in a `PutMetricData`, as JSON or as a query; empty where there is none.

    Raises ValueError for what is neither.
    """
    if body.startswith(b"{"):
        return str(json.loads(body).get("Namespace", ""))
    return parse_qs(body.decode()).get("Namespace", [""])[0]
