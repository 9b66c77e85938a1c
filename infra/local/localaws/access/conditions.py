"""Condition keys of policies that ministack lacks, or gives another value than AWS.

* `aws:PrincipalArn` of a role's session is the role's ARN, path included, and a service has none
  ("Global condition keys" in AWS's IAM User Guide). ministack gives what calls: the session's ARN.
* A write to S3 names the KMS key and the customer's key it asks for, and on what it depends
  ("Actions, resources, and condition keys for Amazon S3" in AWS's Service Authorization Reference).
* What Athena does with S3 for its caller names Athena (`calledvia.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.services import iam, s3

from localaws.access.calledvia import called_via

_PRINCIPAL_ARN = "aws:principalarn"
_WRITE = "s3:PutObject"
# The header, and the key's name but for `s3:`.
_OF_A_WRITE = (
    "if-match",
    "if-none-match",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
)


def register() -> None:
    """Have ministack's evaluator know them; call it once in a process."""
    resolve = iam_evaluator._resolve_condition_key  # noqa: SLF001
    of_object = iam_actions._s3_object_context  # noqa: SLF001

    def resolve_as_aws(key: str, context: EvalContext) -> Any:
        return principal_arn(context) if key.lower() == _PRINCIPAL_ARN else resolve(key, context)

    def of_object_as_aws(
        action: str, query: Mapping[str, Any], path: str, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        known: dict[str, Any] = of_object(action, query, path, headers)
        written = of_write(headers, query) if action == _WRITE else {}
        return known | called_via(headers) | written

    iam_evaluator._resolve_condition_key = resolve_as_aws  # noqa: SLF001
    iam_actions._s3_object_context = of_object_as_aws  # noqa: SLF001


def principal_arn(context: EvalContext) -> str | None:
    """`aws:PrincipalArn` of a request; the caller's kind is not always told, its ARN is."""
    arn = str(context.principal_arn)
    if not arn.startswith("arn:"):
        return None
    _, session_of, name = arn.rpartition(":assumed-role/")
    if not session_of:
        return arn
    account, role = arn.split(":")[4], name.partition("/")[0]
    found = iam._roles.get_scoped(account, None, role)  # noqa: SLF001
    return str(found["Arn"]) if found else arn


def of_write(headers: Mapping[str, str], query: Mapping[str, Any]) -> dict[str, str]:
    """The condition keys in the headers (lower case) of a write; a part has its upload's."""
    upload_id = s3._qp(query, "uploadId", "")  # noqa: SLF001
    upload = s3._multipart_uploads.get(upload_id) or {}  # noqa: SLF001
    begun = upload["preserved_headers"] if upload.get("requested_sse") else {}
    found = {**begun, **headers}
    return {f"s3:{name}": found[name] for name in _OF_A_WRITE if found.get(name)}
