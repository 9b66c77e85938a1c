"""CloudTrail's records, honest and hostile: what is read, what is passed over, what is refused."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import AWKWARD_KEYS
from tests.support.trail_records import USER, delete, put

from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import LogContent, read_log
from custody.core.trail.principals import UNNAMED, Principal


def read(*records: Any, proven: bool = True) -> LogContent:
    return read_log(json.dumps({"Records": records}).encode(), log="log-1", proven=proven)


def event(record: Any, *, proven: bool = True) -> TrailEvent:
    content = read(record, proven=proven)
    assert content.problems == ()
    (found,) = content.events
    return found


@pytest.mark.parametrize("verb", [put, delete])
def test_what_comes_through_an_access_point_is_about_its_bucket(verb: Any) -> None:
    """Form of `resources`: "Monitoring and logging access points" in the Amazon S3 User Guide."""
    record = verb()
    through = "arn:aws:s3:us-east-1:111122223333:accesspoint/mine"
    for name in (through, "mine-0123456789abcdef-s3alias"):
        record["requestParameters"]["bucketName"] = name
        record["resources"] = [
            *put()["resources"],
            {"accountId": "111122223333", "type": "AWS::S3::AccessPoint", "ARN": through},
        ]
        assert event(record).bucket == "raw"
        # Without an access point the request says which bucket it is about.
        assert event(record | {"resources": put()["resources"]}).bucket == name
        assert event(record | {"resources": "hidden"}).bucket == name


def test_reads_everything_the_ledger_asks_for() -> None:
    crm = Principal(USER["arn"], "IAMUser", "AIDACRMEXPORT", None, USER["accessKeyId"])
    assert read(put()) == LogContent(
        log="log-1",
        events=(
            TrailEvent(
                event_id="e1",
                name="PutObject",
                time=datetime(2026, 11, 1, 6, 0, 1, tzinfo=UTC),
                bucket="raw",
                key="incoming/a.csv",
                version_id="v1",
                delete_marker=False,
                request_id="R1",
                bytes_in=100,
                who=crm,
                source_ip="203.0.113.7",
                user_agent="[aws-cli/2.31]",
                updates=None,
                log="log-1",
                proven=True,
                upload_id=None,
            ),
        ),
        principals={"AIDACRMEXPORT": crm},
        problems=(),
    )


SESSION = {
    "principalId": "AROAGLUE:job",
    "arn": "arn:aws:sts::111122223333:assumed-role/glue/job",
    "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/glue"},
        "webIdFederationData": {},
        "attributes": {"mfaAuthenticated": "false"},
    },
}
GLUE = "arn:aws:iam::111122223333:role/glue"


@pytest.mark.parametrize(
    ("identity", "arn", "role"),
    [
        (
            {"type": "Root", "principalId": "1", "arn": "arn:aws:iam::1:root"},
            "arn:aws:iam::1:root",
            None,
        ),
        (USER, USER["arn"], None),
        ({"type": "AssumedRole"} | SESSION, SESSION["arn"], GLUE),
        ({"type": "AssumedRole"} | SESSION | {"sessionContext": {}}, SESSION["arn"], None),
        ({"type": "Role", "principalId": "AROA", "arn": GLUE}, GLUE, None),
        ({"type": "FederatedUser"} | SESSION, SESSION["arn"], GLUE),
        ({"type": "AWSService", "invokedBy": "athena.amazonaws.com"}, "athena.amazonaws.com", None),
        ({"type": "AWSAccount", "principalId": "AIDAX", "accountId": "9"}, "AIDAX", None),
        ({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}, UNNAMED, None),
        (
            {"type": "WebIdentityUser", "principalId": "accounts.google.com:app:user"},
            "accounts.google.com:app:user",
            None,
        ),
        ({"type": "SAMLUser", "principalId": "idp:user", "userName": "user"}, "idp:user", None),
        (
            {"type": "IdentityCenterUser", "accountId": "1", "onBehalfOf": {"userId": "u"}},
            UNNAMED,
            None,
        ),
        ({"type": "Unknown", "principalId": "who"}, "who", None),
        ({}, UNNAMED, None),
    ],
    ids=lambda value: value.get("type", "empty") if isinstance(value, dict) else "",
)
def test_every_kind_of_caller_has_a_name(
    identity: dict[str, Any], arn: str, role: str | None
) -> None:
    who = event(put(userIdentity=identity)).who
    assert (who.arn, who.role_arn, who.type) == (arn, role, identity.get("type"))


@pytest.mark.parametrize("address", ["AWS Internal", "glue.amazonaws.com", "2001:db8::1"])
def test_an_address_is_not_always_one(address: str) -> None:
    assert event(put(sourceIPAddress=address)).source_ip == address


@pytest.mark.parametrize("read_only", [False, "false", "False", None])
def test_read_only_has_several_spellings(read_only: object) -> None:
    assert event(put(readOnly=read_only)).is_write


@pytest.mark.parametrize("version", ["1.05", "1.08", "1.09", "1.10", "1.11", "1.12"])
def test_any_minor_version_will_do(version: str) -> None:
    assert event(put(eventVersion=version)).event_id == "e1"


@pytest.mark.parametrize("version", ["2.0", "2.1", "11.1", "", "v1", 1.11, None])
def test_another_major_version_costs_its_record_only(version: object) -> None:
    content = read(put(eventVersion=version), put(eventID="e2"))
    assert [e.event_id for e in content.events] == ["e2"]
    (problem,) = content.problems
    assert problem.startswith("Records[0].eventVersion: ")


PASSED_OVER = {
    "reading": put(eventName="GetObject", readOnly=True),
    "listing": put(eventName="ListObjects", requestParameters={"bucketName": "raw"}),
    "fetching back from an archive": put(eventName="RestoreObject"),
    "one part of many": put(eventName="UploadPart"),
    "a copied part": put(eventName="UploadPartCopy"),
    "an upload begun": put(eventName="CreateMultipartUpload"),
    "an upload given up": put(eventName="AbortMultipartUpload"),
    "refused": put(errorCode="AccessDenied", errorMessage="Access Denied", responseElements=None),
    "refused, in a form of the future": put(errorCode="AccessDenied", eventVersion="2.0"),
    "a summary": put(eventCategory="Aggregated"),
    "another service": put(eventSource="s3-outposts.amazonaws.com"),
    "another service of another version": put(eventSource="kms.amazonaws.com", eventVersion="2.0"),
}


@pytest.mark.parametrize("record", PASSED_OVER.values(), ids=PASSED_OVER)
def test_what_is_no_write_is_passed_over(record: dict[str, Any]) -> None:
    content = read(record)
    assert (content.events, content.problems) == ((), ())
    assert content.principals["AIDACRMEXPORT"].arn == USER["arn"]


def test_a_copy_wrote_the_new_version_not_the_old_one() -> None:
    request = put()["requestParameters"] | {
        "x-amz-copy-source": "raw/incoming/a.csv?versionId=v0",
        "x-amz-copy-source-version-id": "v0",
    }
    answer = {"x-amz-copy-source-version-id": "v0", "x-amz-version-id": "v2"}
    copied = event(put(eventName="CopyObject", requestParameters=request, responseElements=answer))
    assert (copied.version_id, copied.is_write) == ("v2", True)


def test_a_completed_upload_names_its_upload() -> None:
    request = put()["requestParameters"] | {"uploadId": "U1"}
    done = event(put(eventName="CompleteMultipartUpload", requestParameters=request))
    assert (done.upload_id, done.version_id, done.is_write) == ("U1", "v1", True)


@pytest.mark.parametrize("answer", [None, {}, {"x-amz-version-id": ""}])
def test_a_write_may_not_name_its_version(answer: object) -> None:
    assert event(put(responseElements=answer)).version_id is None


@pytest.mark.parametrize("asked", ["v9", ["v9", "v8"], {"v": 9}, "v" * 2000])
def test_what_a_caller_asks_for_is_no_version_written(asked: object) -> None:
    """A caller may add parameters that mean nothing; they must not get it out of the ledger."""
    request = put()["requestParameters"] | {"versionId": asked, "x-amz-version-id": asked}
    assert event(put(requestParameters=request)).version_id == "v1"
    assert event(put(requestParameters=request, responseElements=None)).version_id is None


def test_a_delete_leaves_a_marker() -> None:
    hidden = event(delete())
    assert (hidden.version_id, hidden.delete_marker, hidden.is_write) == ("m1", True, False)


def test_a_delete_of_a_version_removes_it() -> None:
    request = put()["requestParameters"] | {"versionId": "v1"}
    gone = event(delete(requestParameters=request, responseElements=None))
    assert (gone.version_id, gone.delete_marker) == ("v1", False)


def test_a_batch_delete_names_no_key() -> None:
    """The form of real logs; samples with keys in them are invented."""
    record = put(
        eventName="DeleteObjects",
        requestParameters={"bucketName": "raw", "Host": "raw.s3.amazonaws.com", "delete": ""},
        responseElements=None,
        resources=[{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::raw/"}],
    )
    batch = event(record)
    assert (batch.bucket, batch.key, batch.version_id) == ("raw", None, None)
    assert not batch.delete_marker


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_keys_are_taken_as_they_are(key: str) -> None:
    assert event(put(requestParameters={"bucketName": "raw", "key": key})).key == key


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (100, 100),
        (100.0, 100),
        ("100", 100),
        (0, 0),
        (2**63, None),
        (-1, None),
        (True, None),
        ("-1", None),
        ("٣", None),
        ("1e3", None),
        ("9" * 5000, None),
        ([100], None),
        (None, None),
    ],
    ids=lambda value: str(value)[:9],
)
def test_bytes_are_a_number_in_any_of_its_forms_or_unknown(said: object, count: int | None) -> None:
    assert event(put(additionalEventData={"bytesTransferredIn": said})).bytes_in == count


def test_a_number_beyond_all_measure_is_unknown() -> None:
    raw = json.dumps({"Records": [put()]}).replace(
        '"bytesTransferredIn": 100', '"bytesTransferredIn": 1e999'
    )
    assert read_log(raw.encode(), log="log", proven=True).events[0].bytes_in is None


@pytest.mark.parametrize("field", ["userAgent", "sourceIPAddress"])
@pytest.mark.parametrize("said", ["x" * 100_000, "\ud800", ["a"], {}, 7, ""])
def test_what_a_caller_says_of_itself_never_costs_its_event(field: str, said: object) -> None:
    found = event(put(**{field: said}))
    assert found.event_id == "e1"
    value = found.user_agent if field == "userAgent" else found.source_ip
    assert value is None or 0 < len(value.encode()) <= 1024


# What two deliveries make of one event.


def addendum(fields: str, **changes: Any) -> TrailEvent:
    about = {
        "reason": "UPDATED_DATA",
        "updatedFields": fields,
        "originalRequestID": "R1",
        "originalEventID": "e1",
    }
    return event(put(**{"eventID": "e9", "addendum": about} | changes))


def test_a_late_delivery_is_an_event_of_its_own() -> None:
    late = event(put(addendum={"reason": "DELIVERY_DELAY"}))
    assert merge([late]) == event(put())
    assert merge([late, event(put())]) == event(put())


def test_an_addendum_is_about_the_original() -> None:
    assert addendum("userAgent").event_id == "e1"


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("eventTime", "2026-11-01T07:00:00Z", "time", datetime(2026, 11, 1, 7, tzinfo=UTC)),
        ("userIdentity", {"type": "Root", "arn": "arn:root"}, "who",
         Principal("arn:root", "Root", None, None)),
        ("requestID", "R7", "request_id", "R7"),
        ("requestParameters", {"bucketName": "b", "key": "k"}, "key", "k"),
        ("responseElements", {"x-amz-version-id": "v7"}, "version_id", "v7"),
        ("additionalEventData", {"bytesTransferredIn": 7}, "bytes_in", 7),
        ("sourceIPAddress", "192.0.2.7", "source_ip", "192.0.2.7"),
        ("userAgent", "seven", "user_agent", "seven"),
    ],
)  # fmt: skip
def test_an_addendum_replaces_what_it_names_and_nothing_else(
    field: str, value: object, attribute: str, expected: object
) -> None:
    original = event(put())
    later = addendum(f"resources, {field}", **{field: value})
    merged = merge([original, later])
    assert getattr(merged, attribute) == expected
    unnamed = merge([original, addendum("resources", **{field: value})])
    assert unnamed == original


def test_an_addendum_takes_nothing_away() -> None:
    assert merge([event(put()), addendum("userAgent", userAgent=None)]) == event(put())


def test_an_addendum_alone_is_the_event() -> None:
    alone = merge([addendum("userAgent")])
    assert alone == event(put())


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])


def test_an_injected_copy_has_no_say_in_a_proven_event() -> None:
    """Not even if it claims to be the earlier one, or an addendum."""
    proven = event(put())
    forged = put(
        eventTime="2026-11-01T05:00:00Z",
        userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/innocent"},
    )
    copied = replace(event(forged, proven=False), log="injected")
    amended = replace(copied, updates=("userIdentity", "eventTime"))
    for order in itertools.permutations([proven, copied, amended]):
        assert merge(order) == proven


def test_an_event_is_proven_once_one_delivery_is() -> None:
    assert not merge([event(put(), proven=False)] * 2).proven
    assert merge([event(put(), proven=False), event(put())]).proven


deliveries = st.builds(
    lambda base, log, proven, time: replace(base, log=log, proven=proven, time=time),
    st.sampled_from(
        [
            event(put()),
            event(put(userAgent=None, responseElements=None)),
            addendum("userAgent,responseElements", userAgent="a"),
            addendum("userAgent", userAgent="b"),
            addendum("userIdentity,requestID", requestID="R3"),
        ]
    ),
    st.sampled_from(["log-1", "log-2"]),
    st.booleans(),
    st.sampled_from([datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 11, 1, 7, tzinfo=UTC)]),
)


@given(st.lists(deliveries, min_size=1, max_size=6), st.data())
def test_the_order_of_deliveries_does_not_matter(found: list[TrailEvent], data: st.DataObject):
    shuffled = data.draw(st.permutations(found))
    assert merge(shuffled) == merge(found)
    assert merge([*shuffled, *found]) == merge(found)
