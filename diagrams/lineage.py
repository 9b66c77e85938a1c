"""From a landed file to gold and back: what each step states about what it read and wrote."""

from diagrams.drawing import Box, Drawing, Point

TITLE = "From a landed file to gold, and back"
STORY = (
    "Each version of a file that lands has a record with its SHA-256. The job bronze_to_silver "
    "reads only versions whose bytes fit their record, and writes silver, quarantine and the "
    "accounting of files under a prefix of its run; a signed SLSA statement names every version it "
    "read and wrote, and the code that ran. The job silver_to_gold reads exactly the versions that "
    "statement names, and makes a statement of its own. A pointer of the catalog moves to the "
    "run's prefix when its checks have passed. custody trace follows the statements back from a "
    "version of gold to the versions that landed and to who uploaded them. Landed rows are silver "
    "plus duplicates plus quarantined."
)


def draw() -> Drawing:
    d = Drawing(1220, 520, TITLE, STORY)
    d.lane(Box(24, 24, 1172, 190), "data", "The data: versions of objects")
    landed = d.box(
        Box(44, 76, 190, 110),
        "plain",
        "Bronze",
        "a version of a file,",
        "as it landed: never built",
        "from but as recorded",
    )
    silver = d.box(
        Box(506, 76, 216, 110),
        "plain",
        "Silver",
        "and quarantine, and files:",
        "landed = silver + duplicates",
        "+ quarantined, for each file",
    )
    gold = d.box(
        Box(1000, 76, 176, 110),
        "plain",
        "Gold",
        "from the versions that",
        "the silver run states,",
        "and no others",
    )
    first = d.pill(Box(290, 114, 160, 34), "recorder", "bronze_to_silver")
    second = d.pill(Box(786, 114, 150, 34), "recorder", "silver_to_gold")
    for here, there in ((landed, first), (first, silver), (silver, second), (second, gold)):
        d.arrow(here.right(), there.left())
    d.text(Point(370, 104), "hashes what it reads", muted=True)

    d.lane(Box(24, 268, 1172, 136), "recorder", "Evidence")
    d.text(Point(254, 296), "signed, written once, sealed", muted=True)
    record = d.box(Box(44, 312, 190, 76), "plain", "Record", "who wrote it, its SHA-256")
    built = d.box(
        Box(300, 312, 422, 76),
        "plain",
        "Statement of the silver run",
        "read: versions and hashes · written: versions and hashes · code",
    )
    made = d.box(
        Box(754, 312, 422, 76),
        "plain",
        "Statement of the gold run",
        "read: versions and hashes · written: versions and hashes · code",
    )
    d.arrow(record.top(), landed.bottom(), tone="recorder")
    d.arrow(Point(first.bottom().x, built.y), first.bottom(), tone="recorder")
    d.arrow(Point(silver.bottom().x, built.y), silver.bottom(), tone="recorder")
    d.arrow(Point(second.bottom().x, made.y), second.bottom(), tone="recorder")
    d.arrow(Point(gold.bottom().x, made.y), gold.bottom(), tone="recorder")

    y = 452
    d.arrow(
        Point(1088, 388), Point(1088, y), Point(139, y), record.bottom(), tone="ledger", dashed=True
    )
    d.text(
        Point(610, y - 12),
        "custody trace: from a version of gold, statement by statement, to who uploaded what",
        bold=True,
    )
    d.text(
        Point(610, 490),
        "A pointer of the catalog moves to a run's prefix once its checks have passed: "
        "readers see one run or the other",
        muted=True,
    )
    return d
