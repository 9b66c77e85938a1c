"""The world of calls is closed: botocore knows no operation that the tables lack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.model import ServiceModel

from custody.core.calls.kinds import READING, ROLE_PARAMETER, CallKind
from custody.core.calls.s3 import LOGGED_AS, S3, S3_CONTROL
from custody.core.calls.table import SERVICES, operation_of, service_of

OBSERVABILITY = Path(__file__).parents[5] / "infra" / "cloudformation" / "observability.yaml"
BOTOCORE = {"airflow": "mwaa", "monitoring": "cloudwatch"}
"""Where botocore has another name for a service than event sources have."""


def operations(service: str) -> set[str]:
    return set(botocore.session.get_session().get_service_model(service).operation_names)


def test_every_operation_of_s3_is_in_the_table() -> None:
    assert sorted(operations("s3") - S3.keys()) == []
    # A browser's form, and what a newer S3 has than a pinned botocore may know.
    assert sorted(S3.keys() - operations("s3") - {"PostObject", "UpdateObjectEncryption"}) == []


def test_every_operation_of_s3_control_that_changes_something_is_in_the_table() -> None:
    changing = {name for name in operations("s3control") if not name.startswith(READING)}
    assert sorted(changing - S3_CONTROL.keys()) == []


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - {"s3"}))
def test_every_management_call_that_changes_something_is_in_the_table(service: str) -> None:
    known = operations(BOTOCORE.get(service, service))
    assert sorted({n for n in known if not n.startswith(READING)} - SERVICES[service].keys()) == []
    assert sorted(SERVICES[service].keys() - known) == [], "no such operation"


@pytest.mark.parametrize("service", sorted({*SERVICES, "s3control"} - {"iam", "sts"}))
def test_no_call_that_may_give_a_role_to_something_is_of_no_concern(service: str) -> None:
    """In IAM the parameter names the role that is changed, in STS the one that is taken."""
    model = botocore.session.get_session().get_service_model(BOTOCORE.get(service, service))
    table = S3_CONTROL if service == "s3control" else SERVICES[service]
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        roles = [p for p in _below(shape) if ROLE_PARAMETER.fullmatch(p)]
        known = table.get(name)
        assert not roles or known is None or known.kind is not CallKind.NO_CONCERN, (name, roles)


def test_a_call_that_changes_a_control_says_of_what() -> None:
    for service, table in SERVICES.items():
        for name, operation in table.items():
            changes = operation.kind is CallKind.CHANGES_A_CONTROL
            assert bool(operation.thing) == changes, f"{service}:{name}"


def test_each_has_a_parameter_or_an_answer_that_says_of_which() -> None:
    """Otherwise everybody's call, of a thing of his own, would be one that may be about ours."""
    for service, table in SERVICES.items():
        models = [model_of(name) for name in MODELS.get(service, [BOTOCORE.get(service, service)])]
        for name, operation in table.items():
            known = {m for model in models for m in members(model, name)}
            # CloudTrail calls S3's `Bucket` what the table calls it, and a grant has no bucket.
            named = {"bucket" if n == "bucketName" else n for n in operation.named_by}
            if operation.named_by and known and operation.thing != "access grants":
                assert named & known, (service, name, sorted(known))


MODELS = {"s3": ["s3", "s3control"]}


def model_of(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def members(model: ServiceModel, operation: str) -> set[str]:
    """The names in what an operation is asked and answers, as CloudTrail writes them."""
    if operation not in model.operation_names:
        return set()
    called = model.operation_model(operation)
    return {name for shape in (called.input_shape, called.output_shape) for name in _below(shape)}


def _below(shape: Any, within: tuple[str, ...] = ()) -> Iterator[str]:
    if shape is None or shape.name in within:
        return
    within = (*within, shape.name)
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                yield name[:1].lower() + name[1:]
                yield name
                yield from _below(member, within)
        case "list":
            yield from _below(shape.member, within)
        case "map":
            yield from _below(shape.value, within)


@pytest.mark.parametrize(
    ("source", "name", "kind"),
    [
        ("s3.amazonaws.com", "UpdateObjectEncryption", CallKind.ALTERS_IN_PLACE),
        ("s3.amazonaws.com", "PutObject", CallKind.WRITE),
        ("s3.amazonaws.com", "DeleteObjects", CallKind.REMOVAL),
        ("s3.amazonaws.com", "PutBucketNotification", CallKind.CHANGES_A_CONTROL),
        ("s3.amazonaws.com", "PutBucketPublicAccessBlock", CallKind.CHANGES_A_CONTROL),
        ("s3.amazonaws.com", "ListObjects", CallKind.READ),
        ("lambda.amazonaws.com", "UpdateFunctionCode20150331v2", CallKind.CHANGES_A_CONTROL),
        ("lambda.amazonaws.com", "GetFunction20150331v2", CallKind.READ),
        ("sqs.amazonaws.com", "StartMessageMoveTask", CallKind.NO_CONCERN),
        ("kms.amazonaws.com", "Sign", CallKind.READ),
        # Whom it lets in may be the deployer, whose trust is not changed.
        ("iam.amazonaws.com", "UpdateSAMLProvider", CallKind.CHANGES_A_CONTROL),
        ("iam.amazonaws.com", "CreateOpenIDConnectProvider", CallKind.NO_CONCERN),
    ],
)
def test_a_call_is_known_by_what_cloudtrail_calls_it(
    source: str, name: str, kind: CallKind
) -> None:
    found = operation_of(source, name)
    assert found is not None
    assert found.kind is kind


def test_what_nobody_has_looked_at_is_not_in_the_table() -> None:
    assert operation_of("s3.amazonaws.com", "GetNewsOfObject") is None
    assert operation_of("iam.amazonaws.com", "PutEverything") is None
    assert service_of("ec2.amazonaws.com") is None
    assert operation_of("ec2.amazonaws.com", "RunInstances") is None


def test_cloudtrails_own_names_are_of_operations_that_exist() -> None:
    assert set(LOGGED_AS.values()) <= S3.keys()
    assert not LOGGED_AS.keys() & S3.keys()


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, which are passed over."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, node: node.value)


def test_the_rules_that_call_people_name_calls_that_change_a_control() -> None:
    text = OBSERVABILITY.read_text(encoding="utf-8")
    named = set[tuple[str, str]]()

    def look(value: object, source: str | None) -> None:
        if isinstance(value, dict):
            source = (value.get("eventSource") or [source])[0]
            for name in value.get("eventName", []):
                named.add((str(source), name if isinstance(name, str) else name["prefix"]))
            for item in value.values():
                look(item, source)
        elif isinstance(value, list):
            for item in value:
                look(item, source)

    resources = yaml.load(text, _Template)["Resources"]  # noqa: S506 - a safe loader
    for resource in resources.values():
        look(resource.get("Properties", {}).get("EventPattern"), None)
    assert len(named) > 30
    for source, name in sorted(named):
        if name == "AssumeRole":  # to CloudTrail, a read
            continue
        found = operation_of(source, name)
        assert found is not None, (source, name)
        assert found.kind is CallKind.CHANGES_A_CONTROL, (source, name)
