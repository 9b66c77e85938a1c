"""Which events of the trail are about an object version.

What a case proves as a whole is tested where cases are made, in `tests/plugins/custody/cli`.
"""

from dataclasses import replace

from tests.plugins.custody.core.case.test_object_check import RECORD, VERSION, WRITE, envelope

from custody.core.case.check import writes_of

UNNAMED = replace(WRITE, version_id=None)


def test_an_event_is_about_the_version_it_names():
    others = [
        replace(WRITE, event_id="e2", version_id="v2"),
        replace(WRITE, event_id="e3", key="incoming/b.csv"),
        replace(WRITE, event_id="e4", bucket="custody-other"),
        replace(WRITE, event_id="e5", name="DeleteObject"),
    ]
    assert writes_of(VERSION, [envelope()], [*others, WRITE]) == [WRITE]


def test_one_that_names_none_is_about_the_version_with_its_request():
    assert writes_of(VERSION, [envelope()], [UNNAMED]) == [UNNAMED]
    elsewhere = replace(RECORD, event=replace(RECORD.event, request_id="R2"))
    assert writes_of(VERSION, [envelope(elsewhere)], [UNNAMED]) == []
    assert writes_of(VERSION, [], [UNNAMED]) == []


def test_deliveries_of_one_event_are_one():
    again = replace(WRITE, log="another log")
    assert len(writes_of(VERSION, [envelope()], [WRITE, again])) == 1


def test_an_upload_completed_twice_has_two_events_of_one_version():
    """As in the ledger: the record may name the request of either."""
    first = replace(UNNAMED, name="CompleteMultipartUpload", upload_id="U1")
    again = replace(first, event_id="e2", request_id="R2")
    other = replace(first, event_id="e3", request_id="R3", upload_id="U2")
    assert writes_of(VERSION, [envelope()], [first, again, other]) == [first, again]
    named = replace(first, version_id=VERSION.version_id)
    by_again = replace(RECORD, event=replace(RECORD.event, request_id="R2"))
    assert writes_of(VERSION, [envelope(by_again)], [named, again]) == [named, again]


def test_without_versions_the_request_tells_writes_apart():
    """Every write to a bucket without versions is of version `null`."""
    null = replace(VERSION, version_id="null")
    record = replace(RECORD, version=replace(RECORD.version, version_id="null"))
    writes = [replace(WRITE, version_id="null"), replace(UNNAMED, event_id="e2", request_id="R2")]
    assert writes_of(null, [envelope(record)], writes) == writes[:1]
    earlier = replace(writes[0], event_id="e0", request_id="R0")
    assert writes_of(null, [envelope(record)], [earlier, *writes]) == writes[:1]
