"""Rows of what is wrong with the evidence itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.support.ledger_cases import CASES, camel, policy, read

from custody.core.ledger.kinds.defects import (
    DatedDefect,
    MalformedRecord,
    malformed_record_row,
    trail_row,
)
from custody.core.trail.log_files import read_log


@pytest.mark.parametrize("proven", [True, False])
def test_only_a_proven_event_says_who_broke_the_trail_or_wrote_rubbish(*, proven: bool) -> None:
    event = {
        **read(CASES / "defaults.yaml")["cloudtrail_logs"],
        "eventid": "e1",
        "requestparameters": {"bucketName": "trail", "key": "log.json.gz"},
    }
    content = json.dumps({"Records": [camel(event)]}).encode()
    (write,) = read_log(content, log="log", proven=proven, digest="digest").events
    rules = policy(datetime(2026, 11, 1, 8, tzinfo=UTC))
    defect = DatedDefect("trail", "log.json.gz", "v2", rules.as_of, "Changed.", "its digest")
    rubbish = MalformedRecord("provenance", "r.json", "p1", rules.as_of, "not JSON", write)
    for row in (trail_row(defect, rules, write), malformed_record_row(rubbish, rules)):
        assert row.principal_arn == (write.who.arn if proven else None)
        assert (write.who.arn in row.verdict_reason) is proven
        assert row.verdict in {"TRAIL_BROKEN", "BAD_SIGNATURE"}
        assert row.log_key == ("log" if proven else None)
        shown_by = "its digest" if row.verdict == "TRAIL_BROKEN" else None
        assert row.digest_key == ("digest" if proven else shown_by)
