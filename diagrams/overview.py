"""How a byte is witnessed: the overview picture of the README."""

from diagrams.drawing import Box, Drawing, Point

TITLE = "How every byte is witnessed twice"
STORY = (
    "Uploaders write files to the bronze bucket; Glue jobs build silver and gold from them. For "
    "every object created in these buckets, S3 notifies a queue, from which a Lambda hashes the "
    "exact version and writes a record, signed with a KMS key, to the write-once provenance "
    "bucket. Independently, CloudTrail logs every read and write and delivers logs with signed "
    "digests to the trail bucket. Every hour the reconciliation, a Glue job, proves logs and "
    "records and compares the two; every night the audit compares what the buckets hold with what "
    "was recorded. Their verdicts are VERIFIED, PENDING, UNRECORDED, UNWITNESSED, CONFLICT, "
    "BAD_SIGNATURE, ALTERED, REMOVED, UNEXPECTED_PRINCIPAL, TRAIL_BROKEN, CONTROL_CHANGED, "
    "UNCOSIGNED and UNBUILT; all but the first two are paged over SNS. The Athena view "
    "provenance_ledger shows the verdict on every write. The custody gate lets a file into silver "
    "only if its record verifies."
)

PAGED = (
    ("UNRECORDED", "UNWITNESSED"),
    ("CONFLICT", "BAD_SIGNATURE"),
    ("ALTERED", "REMOVED", "UNBUILT"),
    ("UNEXPECTED_PRINCIPAL", "TRAIL_BROKEN"),
    ("CONTROL_CHANGED", "UNCOSIGNED"),
)
DAGS = ("medallion_customers", "provenance_ledger", "provenance_reconcile", "custody_audit")


def draw() -> Drawing:
    d = Drawing(1220, 766, TITLE, STORY)
    provenance, queue = _recorder(d)
    logs, trail = _trail(d)
    data, gate = _data(d)
    reconcile, audit = _ledger(d)

    d.arrow(Point(282, data.y), queue.bottom(), tone="recorder")
    d.text(Point(206, 231), "every object created", muted=True)
    d.text(Point(545, 216), "its record must verify", muted=True)
    d.arrow(
        provenance.bottom(),
        Point(703, 224),
        Point(385, 224),
        gate.top(),
        tone="recorder",
        dashed=True,
    )
    d.arrow(Point(282, data.y + data.height), Point(282, trail.y), tone="trail")
    d.text(Point(195, 496), "every read and write", muted=True)
    d.arrow(provenance.right(), Point(reconcile.x, provenance.right().y), tone="recorder")
    d.arrow(logs.right(), Point(838, 615), Point(838, 130), Point(reconcile.x, 130), tone="trail")
    d.arrow(Point(data.x + data.width, audit.left().y), audit.left())

    d.text(Point(610, 714), f"Airflow runs it all: {' · '.join(DAGS)}", size=15, bold=True)
    d.text(Point(610, 738), "CloudFormation builds it, on AWS or on one machine", muted=True)
    return d


def _recorder(d: Drawing) -> tuple[Box, Box]:
    d.lane(Box(24, 24, 780, 154), "recorder", "Witness 1 · the recorder")
    for y, line in ((92, "hashes the exact"), (110, "bytes and signs"), (128, "what it saw")):
        d.text(Point(42, y), line, muted=True, middle=False)
    queue = d.box(Box(212, 66, 140, 88), "plain", "Queue", "S3 events, with", "a dead-letter queue")
    recorder = d.box(
        Box(414, 66, 150, 88), "plain", "Recorder", "Lambda: SHA-256,", "signed by KMS"
    )
    provenance = d.box(
        Box(626, 66, 154, 88), "plain", "Provenance", "one record a version,", "write-once"
    )
    d.arrow(queue.right(), recorder.left(), tone="recorder")
    d.arrow(recorder.right(), provenance.left(), tone="recorder")
    return provenance, queue


def _data(d: Drawing) -> tuple[Box, Box]:
    data = d.lane(Box(24, 273, 780, 170), "data", "The data")
    people = d.box(
        Box(44, 325, 120, 92), "plain", "Uploaders", "crm-export", "web-shop", "partner-feed"
    )
    bronze = d.box(Box(212, 325, 118, 92), "plain", "Bronze", "the files,", "as they landed")
    silver = d.box(Box(440, 325, 118, 92), "plain", "Silver", "typed, one row", "per customer")
    gold = d.box(Box(662, 325, 118, 92), "plain", "Gold", "by country", "and month")
    gate = d.pill(Box(352, 354, 66, 34), "recorder", "gate")
    d.arrow(people.right(), bronze.left())
    d.arrow(bronze.right(), gate.left())
    d.arrow(gate.right(), silver.left())
    d.arrow(silver.right(), gold.left())
    d.text(Point(385, 409), "Glue job", muted=True)
    d.text(Point(610, 357), "Glue job", muted=True)
    return data, gate


def _trail(d: Drawing) -> tuple[Box, Box]:
    d.lane(Box(24, 538, 780, 134), "trail", "Witness 2 · CloudTrail")
    for y, line in ((606, "AWS's own log;"), (624, "no hand of ours"), (642, "writes in it")):
        d.text(Point(42, y), line, muted=True, middle=False)
    trail = d.box(Box(212, 578, 190, 74), "plain", "Trail", "who, from where, when")
    logs = d.box(Box(590, 578, 190, 74), "plain", "Logs", "with signed digests")
    d.arrow(trail.right(), logs.left(), tone="trail")
    return logs, trail


def _ledger(d: Drawing) -> tuple[Box, Box]:
    d.lane(Box(852, 24, 344, 648), "ledger", "The ledger")
    left, width, gap = 876, 296, 8
    reconcile = d.box(
        Box(left, 66, width, 80),
        "plain",
        "Reconciliation",
        "Glue, every hour: proves logs and records,",
        "and compares the two witnesses",
    )
    audit = d.box(
        Box(left, 262, 176, 80),
        "plain",
        "Audit",
        "Glue, every night: are",
        "the bytes as recorded?",
    )
    half = (width - gap) / 2
    d.pill(Box(left, 378, half, 32), "ledger", "VERIFIED")
    d.pill(Box(left + half + gap, 378, half, 32), "plain", "PENDING")
    for row, (first, *others) in enumerate(PAGED, start=1):
        even = (width - gap * len(others)) / (1 + len(others))
        share = 170 if len(first) > len("BAD_SIGNATURE") else even
        x, y = left + share + gap, 378 + 36 * row
        d.pill(Box(left, y, share, 32), "page", first)
        rest = (left + width - x - gap * (len(others) - 1)) / len(others)
        for column, other in enumerate(others):
            d.pill(Box(x + column * (rest + gap), y, rest, 32), "page", other)
    view = d.box(Box(left, 606, 166, 58), "plain", "provenance_ledger", "Athena view of all writes")
    page = d.box(Box(left + 174, 606, 122, 58), "page", "Page over SNS", "who did what")
    d.arrow(reconcile.bottom(0.8), Point(reconcile.bottom(0.8).x, 374), tone="ledger")
    d.arrow(audit.bottom(), Point(audit.bottom().x, 374), tone="ledger")
    d.arrow(Point(view.top().x, 592), view.top(), tone="ledger")
    d.arrow(Point(page.top().x, 592), page.top(), tone="page")
    return reconcile, audit
