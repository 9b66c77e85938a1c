"""A page can be read on a telephone and by a machine, and no uploader can write one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.findings import finding

from custody.core.paging.changes import Change, Status
from custody.core.paging.findings import SEVERITIES
from custody.core.paging.form import MARKER, MAX_MESSAGE_BYTES, MAX_SUBJECT, document_of
from custody.core.paging.links import Places
from custody.core.paging.messages import GROUP_ABOVE, MAX_PAGES, pages

WINDOW = {"window_start": "2026-11-01 06:00:00.000", "window_end": "2026-11-02 00:00:00.000"}
CRM = "arn:aws:iam::111122223333:user/crm-export"


def opened(*findings):
    return [Change(Status.OPEN, each) for each in findings]


def pages_of(news, unread=None):
    return pages(news, unread=unread or {}, table="provenance_ledger", **WINDOW)


def sent_bytes(page):
    """What counts against SNS's limit."""
    attributes = sum(
        len(name) + len("String") + len(v) for name, v in page.message_attributes.items()
    )
    return len(page.by_protocol.encode()) + attributes


def test_a_page_says_who_did_what_to_which_version_and_what_to_do():
    (page,) = pages_of(opened(finding()))
    assert page.subject == "UNRECORDED (high) a b.csv by crm-export"
    assert page.message_attributes == {
        "verdict": "UNRECORDED",
        "severity": "high",
        "status": "open",
    }
    assert [(state.finding, state.is_open) for state in page.states] == [(finding(), True)]
    text, _, _ = page.message.partition(f"\n{MARKER}\n")
    assert text == (
        "UNRECORDED (high): an object version was written and nobody recorded its bytes.\n"  # noqa: S608
        "\n"
        'why      "because"\n'
        f'who      "{CRM}", type "IAMUser"\n'
        'from     "203.0.113.7", user agent not known\n'
        'what     "s3://raw/incoming/customers/dt=2026-11-01/a b.csv"\n'
        'version  "v1"\n'
        'when     2026-11-01T06:00:01Z, call "PutObject"\n'
        'where    bucket "raw", layer "bronze"\n'
        "evidence\n"
        '  CloudTrail event  "e1"\n'
        '  request           "r1"\n'
        "  record            not known\n"
        '  log file          "AWSLogs/l1.json.gz"\n'
        '  digest            "AWSLogs/d1.json.gz"\n'
        "window   2026-11-01 06:00 to 2026-11-02 00:00 UTC\n"
        "in Athena:\n"
        "  SELECT * FROM provenance_ledger\n"
        "  WHERE dt = '2026-11-01'\n"
        "      AND bucket = 'raw'\n"
        "      AND object_key = 'incoming/customers/dt=2026-11-01/a b.csv'\n"
        "  ORDER BY event_time\n"
        "runbook  docs/runbooks/unrecorded.md\n"
        f"incident {finding().fingerprint}\n"
    )
    assert document_of(page.message) == {
        "status": "open",
        "severity": "high",
        "summary": text.splitlines()[0],
        "verdict": "UNRECORDED",
        "bucket": "raw",
        "key": "incoming/customers/dt=2026-11-01/a b.csv",
        "version_id": "v1",
        "principal_arn": CRM,
        "principal_type": "IAMUser",
        "source_ip": "203.0.113.7",
        "user_agent": None,
        "event_name": "PutObject",
        "event_time": "2026-11-01T06:00:01Z",
        "pipeline_layer": "bronze",
        "reason": "because",
        "fingerprint": finding().fingerprint,
        "evidence": {
            "event_id": "e1",
            "request_id": "r1",
            "record_key": None,
            "log_key": "AWSLogs/l1.json.gz",
            "digest_key": "AWSLogs/d1.json.gz",
            "sha256": None,
        },
        "causes": [],
        "guards": None,
        "links": {},
        "query": (
            "SELECT * FROM provenance_ledger\nWHERE dt = '2026-11-01'\n    AND bucket = 'raw'\n"
            "    AND object_key = 'incoming/customers/dt=2026-11-01/a b.csv'\nORDER BY event_time"
        ),
        "claimed": False,
        "runbook": "docs/runbooks/unrecorded.md",
        "incident": finding().fingerprint,
        "window": {"start": WINDOW["window_start"], "end": WINDOW["window_end"]},
    }


@pytest.mark.parametrize(
    ("now", "headline", "in_json"),
    [
        (
            finding("VERIFIED", verdict_reason="both agree"),
            "RESOLVED UNRECORDED (high): this object version is VERIFIED now.",
            ("VERIFIED", "both agree"),
        ),
        (None, "RESOLVED UNRECORDED (high): this defect is no longer found.", (None, None)),
    ],
)
def test_a_resolved_page_says_what_holds_now(now, headline, in_json):
    (page,) = pages_of([Change(Status.RESOLVED, finding(), now)])
    assert page.message.splitlines()[0] == headline
    assert page.subject == "RESOLVED UNRECORDED (high) a b.csv by crm-export"
    assert page.message_attributes["status"] == "resolved"
    body = document_of(page.message)
    assert (body["verdict_now"], body["reason_now"]) == in_json
    assert body["fingerprint"] == finding().fingerprint
    assert [state.is_open for state in page.states] == [False]


def test_a_reopened_page_says_so():
    (page,) = pages_of([Change(Status.NAMED, finding())])
    assert page.message.startswith("NAMED UNRECORDED (high): an object version was written")
    (page,) = pages_of([Change(Status.REOPENED, finding())])
    assert page.message.startswith("REOPENED UNRECORDED (high): an object version was written")
    assert [state.is_open for state in page.states] == [True]


def test_the_most_urgent_come_first_and_resolved_ones_last():
    news = [
        Change(Status.RESOLVED, finding("CONFLICT")),
        *opened(finding("UNRECORDED"), finding("CONFLICT", version_id="v2")),
    ]
    assert [page.subject.split(" (")[0] for page in pages_of(news)] == [
        "CONFLICT",
        "UNRECORDED",
        "RESOLVED CONFLICT",
    ]


def test_no_news_no_pages():
    assert pages_of([]) == []


def test_every_verdict_that_pages_names_its_runbook():
    for verdict in SEVERITIES:
        (page,) = pages_of(opened(finding(verdict)))
        body = document_of(page.message)
        assert body["runbook"] == f"docs/runbooks/{verdict.lower()}.md"
        assert body["severity"] == page.message_attributes["severity"] == SEVERITIES[verdict]


# --- Whatever somebody typed ----------------------------------------------------------------------

ANYTHING = st.text(min_size=1, max_size=1024)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_text_can_disguise_itself_as_the_page(key, principal, agent):
    (honest,) = pages_of(opened(finding()))
    typed = {"object_key": key, "principal_arn": principal, "user_agent": agent}
    hostile = replace(finding(), verdict_reason=key, **typed)
    (page,) = pages_of(opened(hostile))
    text, _, document = page.message.partition(f"\n{MARKER}\n")
    lines = len(honest.message.partition(f"\n{MARKER}\n")[0].splitlines())
    in_query = key.isascii() and key.isprintable()  # else it is left out of the query
    assert len(text.splitlines()) == lines - (not in_query)
    assert text.replace("\n", "").isprintable()
    assert document.replace("\n", "").isascii()
    assert document.replace("\n", "").isprintable()
    body = document_of(page.message)
    assert (body["key"], body["principal_arn"], body["user_agent"]) == (key, principal, agent)
    assert len(page.subject) <= MAX_SUBJECT < 100
    assert page.subject.isascii()
    assert page.subject.isprintable()


@pytest.mark.parametrize(
    ("columns", "about"),
    [
        ({}, "a b.csv by crm-export"),
        ({"principal_arn": None}, "a b.csv"),
        ({"object_key": "a/b/"}, "b by crm-export"),
        ({"principal_arn": "arn:aws:sts::1:assumed-role/dev/alice"}, "a b.csv by dev/alice"),
        ({"principal_arn": f"arn:aws:sts::1:assumed-role/{'r' * 70}/alice"}, "a b.csv by alice"),
        ({"principal_arn": "arn:aws:iam::1:user/" + "u" * 90}, "a b.csv"),
        ({"object_key": "k" * 90}, "by crm-export"),
        ({"object_key": "k" * 90, "principal_arn": "u" * 90}, ""),
        ({"object_key": "a/é\n.csv", "principal_arn": None}, "??.csv"),
        (
            {"bucket": "AwsControl", "object_key": "s3/bucket/raw/policy"},
            "s3/bucket/raw/policy by ",
        ),
    ],
)
def test_a_subject_cuts_no_name_in_half(columns, about):
    (page,) = pages_of(opened(replace(finding(), **columns)))
    assert page.subject.startswith(f"UNRECORDED (high) {about}".rstrip())
    assert about.endswith(" ") or page.subject == f"UNRECORDED (high) {about}".rstrip()


def test_a_claimed_name_is_a_claim_in_the_subject_too():
    (page,) = pages_of(opened(finding("UNWITNESSED", event_id=None)))
    assert page.subject == "UNWITNESSED (critical) a b.csv by claimed to be crm-export"


def test_a_changed_control_says_what_it_protects():
    policy = finding("CONTROL_CHANGED", bucket="AwsControl", object_key="s3/bucket/raw/policy")
    (page,) = pages_of(opened(policy))
    assert "guards   who may read, write and remove what it holds" in page.message.splitlines()
    assert document_of(page.message)["guards"] == "who may read, write and remove what it holds"


def test_what_somebody_typed_is_text_in_the_query():
    (page,) = pages_of(opened(replace(finding(), object_key="it's; DROP")))
    assert document_of(page.message)["query"].splitlines()[3] == (
        "    AND object_key = 'it''s; DROP'"
    )
    (page,) = pages_of(opened(replace(finding(), object_key="a\nb")))
    assert "object_key" not in document_of(page.message)["query"]


def test_a_page_leads_to_the_finding_the_run_and_the_evidence():
    places = Places("https://airflow/x/", "provenance_reconcile", "r+1", "eu-west-1", "aws", "t")
    (page,) = pages(
        opened(finding()), unread={}, table="provenance_ledger", places=places, **WINDOW
    )
    links = document_of(page.message)["links"]
    assert list(links) == ["console", "runbook", "run", "object", "log file"]
    assert all(f"  {name:9} {link}" in page.message.splitlines() for name, link in links.items())
    group = pages(opened(*many(GROUP_ABOVE + 1)), unread={}, table="t", places=places, **WINDOW)[0]
    assert document_of(group.message)["links"] == {
        "console": "https://airflow/x/custody/findings?verdict=UNRECORDED&state=open",
        "run": "https://airflow/x/dags/provenance_reconcile/runs/r%2B1",
    }


def test_the_largest_texts_still_fit():
    cut = ("verdict_reason", "user_agent", "principal_arn", "event_id", "request_id", "log_key")
    worst = dict.fromkeys(cut, "\U0001f600" * 4096)
    key = "\x01" * 1024
    single = replace(finding(), object_key=key, **worst)
    group = [replace(single, version_id=f"v{n}") for n in range(GROUP_ABOVE + 1)]
    for page in [*pages_of(opened(single)), *pages_of(opened(*group))]:
        assert sent_bytes(page) <= MAX_MESSAGE_BYTES + 1024 == 262_144
        body = document_of(page.message)
        shown_finding = body["examples"][0] if "examples" in body else body
        assert shown_finding["key"] == key
        assert shown_finding["user_agent"].endswith("\U0001f600…")


# --- Many of one cause ----------------------------------------------------------------------------


def many(number, **columns):
    return [finding(version_id=f"v{n}", **columns) for n in range(number)]


def test_more_than_the_limit_of_one_cause_become_one_page():
    alone = finding(version_id="w", principal_arn="other")
    conflict = finding("CONFLICT")
    unread = {("UNRECORDED", CRM): 4899, ("UNRECORDED", "other"): 0, ("CONFLICT", CRM): 0}
    first, group, last = pages_of(opened(*many(GROUP_ABOVE + 1), alone, conflict), unread)
    assert [state.finding for state in (*first.states, *last.states)] == [conflict, alone]
    assert len(group.states) == GROUP_ABOVE + 1
    assert group.subject.startswith("UNRECORDED (high) 5000 object versions, 2026-11-01 06:00 to")
    who, what, example = group.message.splitlines()[2:5]
    assert (who, what) == (f'who      "{CRM}"', "what     5000 findings, for example")
    place = '"s3://raw/incoming/customers/dt=2026-11-01/a b.csv" version "v0"'
    assert example == f'  2026-11-01T06:00:01Z  {place} by "{CRM}"'
    body = document_of(group.message)
    assert (body["findings"], body["principal_arn"], len(body["examples"])) == (5000, CRM, 10)
    assert body["query"].splitlines() == [
        "SELECT * FROM provenance_ledger",
        "WHERE dt BETWEEN '2026-11-01' AND '2026-11-01'",
        "    AND dt || ' ' || hour BETWEEN '2026-11-01 06' AND '2026-11-01 23'",
        "    AND verdict = 'UNRECORDED'",
        f"    AND principal_arn = '{CRM}'",
        "ORDER BY event_time",
    ]
    assert all(f"  {line}\n" in group.message for line in body["query"].splitlines())


def test_as_many_as_the_limit_are_pages_of_their_own():
    assert len(pages_of(opened(*many(GROUP_ABOVE)))) == GROUP_ABOVE


def test_many_principals_are_one_page_too():
    findings = [finding(version_id=f"v{n}", principal_arn=f"p{n}") for n in range(GROUP_ABOVE + 1)]
    (page,) = pages_of(opened(*findings))
    body = document_of(page.message)
    assert (body["principals"], body["principal_arn"]) == (GROUP_ABOVE + 1, None)
    assert "principal_arn =" not in body["query"]


def test_many_that_resolve_are_one_page():
    news = [
        Change(Status.RESOLVED, each, finding("VERIFIED") if n else finding("CONFLICT"))
        for n, each in enumerate(many(GROUP_ABOVE + 1))
    ]
    (page,) = pages_of(news, {("UNRECORDED", CRM): 7})
    body = document_of(page.message)
    assert (body["status"], body["findings"]) == ("resolved", GROUP_ABOVE + 1)
    assert body["verdicts_now"] == {"CONFLICT": 1, "VERIFIED": GROUP_ABOVE}
    assert f"now      1 CONFLICT, {GROUP_ABOVE} VERIFIED\n" in page.message


def test_too_many_pages_are_put_together_sooner():
    news = opened(
        *(
            finding(verdict, version_id=f"v{n}", principal_arn=f"p{n // 2}")
            for verdict in SEVERITIES
            for n in range(GROUP_ABOVE)
        )
    )
    assert GROUP_ABOVE * len(SEVERITIES) > MAX_PAGES
    assert len(pages_of(news)) == len(SEVERITIES)


@pytest.mark.parametrize("principal", ["o'brien", "x\n' OR 1 = 1 --", "é", None])
def test_a_principal_cannot_change_the_query(principal):
    findings = many(GROUP_ABOVE + 1, principal_arn=principal)
    (page,) = pages_of(opened(*findings))
    query = document_of(page.message)["query"]
    assert ("principal_arn = 'o''brien'" in query) == (principal == "o'brien")
    assert len(query.splitlines()) == (6 if principal == "o'brien" else 5)


def test_a_page_tells_the_causes_of_its_finding():
    causes = tuple(
        finding(
            "CONTROL_CHANGED",
            bucket="AwsControl",
            object_key=f"iam/role/r{n}/trust",
            principal_arn="insider\nwho",
            event_name="UpdateAssumeRolePolicy",
            event_id=f"e{n}",
            event_time=f"2026-11-01T05:{n:02}:00Z",
        )
        for n in range(60)
    )
    change = Change(Status.OPEN, finding(), causes=causes)
    (page,) = pages([change], unread={}, table="t", **WINDOW)
    told = [line for line in page.message.splitlines() if "/trust" in line and "event" in line]
    assert "causes   60 changes of controls that may have led to it, the nearest" in page.message
    assert len(told[:10]) == 10
    assert told[9] == (
        '  2026-11-01T05:59:00Z  "iam/role/r59/trust" by "insider\\u000awho",'
        ' call "UpdateAssumeRolePolicy", event "e59"'
    )
    body = document_of(page.message)
    assert [cause["key"] for cause in body["causes"]][-1] == "iam/role/r59/trust"
    assert len(body["causes"]) == 50
    assert {state.finding.fingerprint for state in page.states} == {
        finding().fingerprint,
        *(cause.fingerprint for cause in causes),
    }


def test_a_grouped_page_tells_each_cause_once():
    cause = finding("CONTROL_CHANGED", bucket="AwsControl", object_key="iam/role/r/trust")
    changes = [
        Change(Status.OPEN, finding(version_id=f"v{n}"), causes=(cause,)) for n in range(101)
    ]
    (page,) = pages(changes, unread={}, table="t", **WINDOW)
    assert [c["key"] for c in document_of(page.message)["causes"]] == ["iam/role/r/trust"]


@pytest.mark.parametrize(
    ("columns", "who"),
    [
        ({"principal_arn": "somebody"}, 'who      "somebody", type'),
        (
            {"principal_arn": "somebody", "event_id": None},
            'who      claimed to be "somebody", type',
        ),
        ({"principal_arn": None}, "who      nobody can be named, type"),
    ],
)
def test_who_is_only_claimed_is_not_accused(columns, who):
    (page,) = pages([Change(Status.OPEN, finding(**columns))], unread={}, table="t", **WINDOW)
    assert f"\n{who}" in page.message
    assert document_of(page.message)["claimed"] == ("claimed" in who)
