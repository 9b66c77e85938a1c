"""What stands on AWS, by stack: each box is a template of `infra/cloudformation`."""

from diagrams.drawing import Box, Drawing, Point

TITLE = "What stands on AWS, by stack"
STORY = (
    "An administrator makes five stacks once: bootstrap, by the first deployment, with the buckets "
    "of the code and the boundary of all roles; by hand deployers and access with the roles of "
    "people, globalevents for what happens outside the region, and catalogencryption. The "
    "evidence stack holds what must outlive everything: keys, the bronze and provenance buckets, "
    "the trail and its bucket, the recorder's queue, and, if asked for, the replication to the "
    "replica stack in another region or account. The platform's stack holds what runs and can be "
    "made again: network and MWAA, Airflow's role, settings and catalog, the recorder, the Glue "
    "jobs, the audit, what expires, pages and alarms. Code comes from the bootstrap's buckets by "
    "its hash."
)

ONCE = (
    ("bootstrap", "buckets of the code,", "boundary of all roles"),
    ("deployers", "who deploys, and as", "whom CloudFormation works"),
    ("access", "auditor, and the role", "for emergencies"),
    ("globalevents", "what is called", "outside the region"),
    ("catalogencryption", "the Data Catalog's key,", "once an account"),
)
EVIDENCE = (
    (
        ("keys", "sign, seal, encrypt:", "none leaves KMS"),
        ("storage", "bronze, silver, gold,", "query results"),
        ("witnesses", "records, seal and", "trail: Object Lock"),
    ),
    (
        ("queue", "what S3 announces,", "and dead letters"),
        ("trail", "CloudTrail, of every", "region"),
        ("replication", "as whom S3 copies,", "and what it could not"),
    ),
)
PLATFORM = (
    (
        ("network", "a VPC: endpoints", "or NAT gateways"),
        ("mwaa", "Airflow, its logs", "and its code"),
        ("airflow", "the role that", "runs the DAGs"),
        ("settings", "one parameter,", "pinned in the jobs"),
        ("catalog", "database and", "Athena workgroup"),
        ("paging", "who is told, on", "an encrypted topic"),
    ),
    (
        ("recorder", "Lambda, and a job", "for large objects"),
        ("glue", "role and logs", "of the jobs"),
        ("jobs", "bronze to silver,", "silver to gold"),
        ("audit", "the two that judge,", "and their role"),
        ("expiry", "hides runs that", "nobody is shown"),
        ("observability", "alarms, rules,", "dashboard, budget"),
        ("root", "holds all of", "these together"),
    ),
)
WIDTH, HEIGHT, GAP = 1131, 82, 15


def draw() -> Drawing:
    d = Drawing(1220, 784, TITLE, STORY)
    d.lane(
        Box(24, 24, 1172, 148),
        "data",
        "An administrator, once · bootstrap by the first deployment, the others by hand",
    )
    once = _row(d, 44, 66, ONCE, width=214)
    d.lane(Box(24, 226, 620, 256), "recorder", "evidence · kept, whatever is deleted")
    kept: dict[str, Box] = {}
    for row, boxes in enumerate(EVIDENCE):
        kept |= _row(d, 44, 272 + row * (HEIGHT + GAP), boxes, width=184)
    d.lane(Box(820, 226, 376, 256), "trail", "Another region or account, if asked for")
    replica = d.box(
        Box(842, 320, 332, 130),
        "plain",
        "replica",
        "the same bronze, records, seal and trail:",
        "Object Lock, a key of its own,",
        "and nobody who may change them",
    )
    d.lane(Box(24, 536, 1172, 224), "ledger", "the platform · made again from evidence and code")
    for row, boxes in enumerate(PLATFORM):
        width = (WIDTH - (len(boxes) - 1) * GAP) / len(boxes)
        _row(d, 44, 574 + row * (HEIGHT + 9), boxes, width=width)
    d.arrow(
        kept["replication"].right(), Point(replica.x, kept["replication"].right().y), tone="trail"
    )
    d.text(Point(704, kept["replication"].right().y - 10), "every version", muted=True)
    d.arrow(kept["queue"].bottom(), Point(kept["queue"].bottom().x, 536), tone="recorder")
    d.text(Point(208, 514), "what was written", muted=True)
    d.arrow(
        once["bootstrap"].bottom(0.92),
        Point(once["bootstrap"].bottom(0.92).x, 199),
        Point(790, 199),
        Point(790, 536),
        tone="plain",
        dashed=True,
    )
    d.text(Point(732, 190), "code, by its hash", muted=True)
    return d


def _row(
    d: Drawing,
    x: float,
    y: float,
    boxes: tuple[tuple[str, str, str], ...],
    *,
    width: float,
) -> dict[str, Box]:
    return {
        name: d.box(Box(x + n * (width + GAP), y, width, HEIGHT), "plain", name, *lines)
        for n, (name, *lines) in enumerate(boxes)
    }
