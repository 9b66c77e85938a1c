"""A change of a control is a cause of what it may have led to, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from tests.support.findings import finding

from custody.core.ledger import causes
from custody.core.ledger.causes import (
    EARLIER,
    LATER,
    MAX_BESIDE,
    MAX_TOLD,
    beside,
    causes_of,
    may_have_led_to,
    nearest,
    with_causes,
)
from custody.core.ledger.rows import CONTROL, LedgerRow

AT = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def changed(control: str, layer: str = "control", **columns: str) -> LedgerRow:
    return finding(
        "CONTROL_CHANGED",
        bucket=CONTROL,
        object_key=control,
        version_id="null",
        pipeline_layer=layer,
        event_time="2026-11-01T06:30:00Z",
        principal_arn="insider",
        event_name="Change",
        **columns,
    )


def found(verdict: str, bucket: str = "raw") -> LedgerRow:
    return finding(verdict, bucket=bucket, event_time="2026-11-01T06:30:00Z")


@pytest.mark.parametrize(
    ("change", "leads_to", "not_to"),
    [
        (
            changed("s3/bucket/raw/notifications", "bronze"),
            [found("UNRECORDED"), found("REMOVED"), found("UNEXPECTED_PRINCIPAL")],
            [found("UNRECORDED", "processed"), found("TRAIL_BROKEN", "trail")],
        ),
        (
            changed("s3/bucket/provenance/policy", "provenance"),
            [found("UNWITNESSED"), found("CONFLICT"), found("REMOVED", "provenance")],
            [found("REMOVED"), found("TRAIL_BROKEN", "trail")],
        ),
        (
            changed("s3/bucket/trail/policy", "trail"),
            [found("TRAIL_BROKEN", "trail"), found("UNWITNESSED")],
            [found("UNRECORDED")],
        ),
        (
            changed("cloudtrail/trail/custody-local/selectors"),
            [found("UNWITNESSED"), found("TRAIL_BROKEN", "trail")],
            [found("UNRECORDED"), found("UNEXPECTED_PRINCIPAL")],
        ),
        (
            changed("kms/key/k-1/policy"),
            [found("UNRECORDED"), found("CONFLICT"), found("BAD_SIGNATURE", "provenance")],
            [found("REMOVED"), found("UNEXPECTED_PRINCIPAL")],
        ),
        (
            changed("lambda/function/custody-local-recorder/code"),
            [found("UNRECORDED"), found("UNWITNESSED"), found("ALTERED")],
            [found("REMOVED")],
        ),
        (
            changed("iam/role/custody-local-glue/trust"),
            [found("UNEXPECTED_PRINCIPAL", "processed"), found("UNWITNESSED")],
            [found("VERIFIED"), found("PENDING")],
        ),
        (changed("ssm/parameter/custody/local/x"), [], [found("UNRECORDED"), found("CONFLICT")]),
        (changed("s3/bucket/*/policy"), [found("UNRECORDED"), found("REMOVED", "x")], []),
    ],
)
def test_what_a_change_may_have_led_to(
    change: LedgerRow, leads_to: list[LedgerRow], not_to: list[LedgerRow]
) -> None:
    assert all(may_have_led_to(change, each) for each in leads_to)
    assert not any(may_have_led_to(change, each) for each in not_to)
    assert not may_have_led_to(change, changed("iam/role/custody-local-glue/rights"))


def test_what_was_altered_in_place_bears_on_that_object_alone() -> None:
    altered = finding("CONTROL_CHANGED", event_time="2026-11-01T06:30:00Z")
    assert may_have_led_to(altered, found("REMOVED"))
    assert not may_have_led_to(altered, replace(found("REMOVED"), object_key="another"))


def test_a_cause_lies_around_what_it_led_to() -> None:
    change, late = changed("iam/role/custody-local-glue/trust"), timedelta(seconds=1)
    for time, leads in (
        (AT + EARLIER, True),
        (AT + EARLIER + late, False),
        (AT - LATER, True),
        (AT - LATER - late, False),
    ):
        at = replace(found("UNEXPECTED_PRINCIPAL"), event_time=time)
        assert may_have_led_to(change, at) == leads


def test_a_change_belongs_to_what_it_may_have_led_to_and_to_nothing_else() -> None:
    lost, other = found("UNRECORDED"), found("REMOVED", "processed")
    policy = changed("s3/bucket/raw/policy", "bronze")
    role = replace(changed("iam/role/r/trust"), event_time=AT - timedelta(minutes=1))
    alone = changed("ssm/parameter/custody/local/x")
    assert beside([lost, other], [policy, role, alone]) == {
        lost.fingerprint: [role, policy],
        other.fingerprint: [role],
    }
    assert beside([lost], [replace(policy, event_time=AT + LATER + timedelta(seconds=1))]) == {}
    assert beside([policy, alone], [role]) == {}


def test_what_is_far_from_a_finding_hides_behind_no_crowd() -> None:
    """Of many the nearest belong to it; who changed a control hours before is told by himself."""
    evil = replace(changed("iam/role/r/trust"), event_time=AT - EARLIER, fingerprint="evil")
    crowd = [
        replace(changed("iam/role/r/rights"), fingerprint=f"{n:02}") for n in range(MAX_BESIDE)
    ]
    lost = found("UNRECORDED")
    assert beside([lost], [evil, *crowd]) == {lost.fingerprint: crowd}
    assert evil in beside([lost], [evil, *crowd[1:]])[lost.fingerprint]


def test_of_many_altered_objects_each_is_held_against_its_own() -> None:
    """A thousand of them beside a thousand findings take no million steps."""
    lost = [finding("REMOVED", object_key=f"k{n}") for n in range(20)]
    altered = [finding("CONTROL_CHANGED", object_key=f"k{n}") for n in range(10, 30)]
    every, has = [changed("iam/role/r/trust"), *altered], causes._Reach.has
    with patch.object(causes._Reach, "has", autospec=True, side_effect=has) as asked:
        found = beside(lost, every)
    assert asked.call_count <= 2 * len(lost)
    assert found == {each.fingerprint: causes_of(each, every) for each in lost}


def test_of_many_of_many_kinds_the_nearest_belong_to_it() -> None:
    controls = ("iam/role/r/trust", "s3/bucket/raw/policy", "ssm/parameter/x", "kms/key/k/policy")
    many = [
        replace(
            changed(controls[n % 4]),
            event_time=AT + timedelta(minutes=7 * n, seconds=n),
            fingerprint=f"{n}",
        )
        for n in range(-100, 100)
    ]
    for lost in (found("UNRECORDED"), found("REMOVED")):
        leading = [change for change in many if may_have_led_to(change, lost)]
        assert leading == causes_of(lost, many)
        expected = nearest(lost, leading, MAX_BESIDE)
        assert beside([lost], reversed(many)) == {lost.fingerprint: expected}


def test_the_reason_names_the_causes_in_order_and_not_without_end() -> None:
    row = found("UNRECORDED")
    control = "s3/bucket/raw/notifications"
    one, other = (
        replace(changed(control), event_time=AT - timedelta(minutes=n), fingerprint=str(n))
        for n in (1, 2)
    )
    assert causes_of(row, [one, other]) == [other, one]
    another = replace(one, object_key="iam/role/r/trust", event_time=AT - timedelta(minutes=3))
    assert with_causes(row, [one, other, another]).verdict_reason == (
        "because Controls that bear on it were changed: "
        "insider called Change on iam/role/r/trust at 2026-11-01 06:27:00; "
        f"insider called Change on {control} at 2026-11-01 06:29:00 (2 calls)."
    )
    assert with_causes(row, []) is row
    many = [
        replace(one, object_key=f"iam/role/{n}/trust", event_time=AT - timedelta(minutes=n))
        for n in range(MAX_TOLD + 3)
    ]
    many = [replace(cause, fingerprint=cause.object_key) for cause in many]
    told = with_causes(row, many).verdict_reason
    assert told.count("called Change") == MAX_TOLD
    assert f"06:{30 - MAX_TOLD + 1}:00" in told, "the nearest are told"
    assert told.endswith("06:30:00; and 3 more.")
