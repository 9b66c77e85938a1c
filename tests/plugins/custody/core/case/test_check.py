"""Which events of the trail are about an object version.

What a case proves as a whole is tested where cases are made, in ``tests/plugins/custody/cli``.
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
    assert writes_of(*VERSION, [envelope()], [*others, WRITE]) == [WRITE]


def test_one_that_names_none_is_about_the_version_with_its_request():
    assert writes_of(*VERSION, [envelope()], [UNNAMED]) == [UNNAMED]
    elsewhere = replace(RECORD, event=replace(RECORD.event, request_id="R2"))
    assert writes_of(*VERSION, [envelope(elsewhere)], [UNNAMED]) == []
    assert writes_of(*VERSION, [], [UNNAMED]) == []


def test_deliveries_of_one_event_are_one():
    again = replace(WRITE, log="another log")
    assert len(writes_of(*VERSION, [envelope()], [WRITE, again])) == 1
