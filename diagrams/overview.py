"""How a byte is witnessed: the overview picture of the README."""

from diagrams.drawing import Box, Drawing, Point

TITLE = "How every byte is witnessed twice"
STORY = (
    "Uploaders write files to the bronze bucket; Glue jobs build silver and gold from them. For "
    "every object created in these buckets, S3 notifies a queue, from which a Lambda hashes the "
    "exact version and writes a record, signed with a KMS key, to the write-once provenance "
    "bucket. Independently, CloudTrail logs every read and write and delivers logs with signed "
    "digests to the trail bucket. The Athena view provenance_ledger joins both, the reconciliation "
    "compares them, and disagreement is paged over SNS. The custody gate lets a file into silver "
    "only if its record verifies."
)


def draw() -> Drawing:
    d = Drawing(1160, 716, TITLE, STORY)

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

    data = d.lane(Box(24, 248, 780, 170), "data", "The data")
    people = d.box(
        Box(44, 300, 120, 92), "plain", "Uploaders", "crm-export", "web-shop", "partner-feed"
    )
    bronze = d.box(Box(212, 300, 118, 92), "plain", "Bronze", "the files,", "as they landed")
    silver = d.box(Box(440, 300, 118, 92), "plain", "Silver", "typed, one row", "per customer")
    gold = d.box(Box(662, 300, 118, 92), "plain", "Gold", "by country", "and month")
    d.arrow(people.right(), bronze.left())
    gate = d.pill(Box(352, 329, 66, 34), "recorder", "gate")
    d.arrow(bronze.right(), gate.left())
    d.arrow(gate.right(), silver.left())
    d.arrow(silver.right(), gold.left())
    d.text(Point(385, 384), "Glue job", muted=True)
    d.text(Point(610, 332), "Glue job", muted=True)

    d.arrow(Point(282, data.y), queue.bottom(), tone="recorder")
    d.text(Point(206, 219), "every object created", muted=True)
    d.text(Point(545, 206), "its record must verify", muted=True)
    d.arrow(
        provenance.bottom(),
        Point(703, 214),
        Point(385, 214),
        gate.top(),
        tone="recorder",
        dashed=True,
    )

    d.lane(Box(24, 488, 780, 134), "trail", "Witness 2 · CloudTrail")
    for y, line in ((556, "AWS's own log;"), (574, "no hand of ours"), (592, "writes in it")):
        d.text(Point(42, y), line, muted=True, middle=False)
    trail = d.box(
        Box(212, 528, 190, 74),
        "plain",
        "Trail",
        "who, from where, when",
    )
    logs = d.box(Box(590, 528, 190, 74), "plain", "Logs", "with signed digests")
    d.arrow(trail.right(), logs.left(), tone="trail")
    d.arrow(Point(282, data.y + data.height), Point(282, trail.y), tone="trail")
    d.text(Point(206, 459), "every read and write", muted=True)

    d.lane(Box(852, 24, 284, 598), "ledger", "The ledger")
    view = d.box(
        Box(876, 66, 236, 88),
        "plain",
        "provenance_ledger",
        "Athena view: one row",
        "per write of a version",
    )
    reconcile = d.box(Box(876, 262, 236, 74), "plain", "Reconciliation", "every hour, in Airflow")
    calm = d.pill(Box(876, 366, 114, 32), "ledger", "VERIFIED")
    d.pill(Box(998, 366, 114, 32), "plain", "PENDING")
    d.pill(Box(876, 408, 114, 32), "page", "UNRECORDED")
    d.pill(Box(998, 408, 114, 32), "page", "UNWITNESSED")
    conflict = d.pill(Box(937, 450, 114, 32), "page", "CONFLICT")
    page = d.box(Box(876, 530, 236, 70), "page", "Page over SNS", "who did what to which file")
    d.arrow(provenance.right(), view.left(), tone="recorder")
    d.arrow(logs.right(), Point(838, 565), Point(838, 132), Point(view.x, 132), tone="trail")
    d.arrow(view.bottom(), reconcile.top(), tone="ledger")
    d.arrow(reconcile.bottom(), Point(994, calm.y - 3), tone="ledger")
    d.arrow(conflict.bottom(), page.top(), tone="page")
    d.text(Point(1006, 212), "do the two agree?", muted=True, middle=False)

    d.text(
        Point(580, 664),
        "Airflow runs it all: medallion_customers · provenance_ledger · provenance_reconcile",
        size=15,
        bold=True,
    )
    d.text(
        Point(580, 688),
        "CloudFormation builds it, on AWS or on one machine",
        muted=True,
    )
    return d
