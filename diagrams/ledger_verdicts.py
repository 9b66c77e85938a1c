"""How the ledger decides: from the two witnesses of one object version to its verdict."""

from diagrams.drawing import Box, Drawing, Point

TITLE = "How the ledger decides on one object version"
STORY = (
    "If records of the version contradict each other, something else stands in the place of its "
    "record, or the record contradicts CloudTrail, the verdict is CONFLICT. Otherwise, if there "
    "are both a CloudTrail event and a record, it is VERIFIED. Otherwise one witness is missing: "
    "within the grace period the verdict is PENDING; after it, a write without a record is "
    "UNRECORDED and a record without a write is UNWITNESSED."
)


def draw() -> Drawing:
    d = Drawing(1000, 560, TITLE, STORY)
    start = d.box(
        Box(380, 28, 240, 74), "data", "One object version", "from CloudTrail, its records, or both"
    )
    contradict = d.box(
        Box(350, 140, 300, 92),
        "plain",
        "Do the witnesses contradict?",
        "records differ, or one is displaced ·",
        "request ids differ · too few bytes arrived",
    )
    both = d.box(Box(380, 278, 240, 66), "plain", "Are both here?", "an event and a record")
    grace = d.box(
        Box(380, 392, 240, 66), "plain", "Is the grace over?", "30 minutes after the write"
    )
    d.arrow(start.bottom(), contradict.top())
    d.arrow(contradict.bottom(), both.top())
    d.arrow(both.bottom(), grace.top())

    conflict = d.box(Box(760, 146, 212, 80), "page", "CONFLICT", "pages: which story is true?")
    verified = d.box(Box(760, 271, 212, 80), "ledger", "VERIFIED", "nobody is woken")
    pending = d.box(Box(760, 385, 212, 80), "data", "PENDING", "looked at again later")
    unrecorded = d.box(Box(44, 385, 226, 80), "page", "UNRECORDED", "pages: a write nobody hashed")
    unwitnessed = d.box(
        Box(44, 271, 226, 80), "page", "UNWITNESSED", "pages: a record, but no write"
    )
    d.arrow(contradict.right(), conflict.left(), tone="page")
    d.arrow(both.right(), verified.left(), tone="ledger")
    d.arrow(grace.right(), pending.left())
    d.arrow(grace.left(), unrecorded.right(), tone="page")
    d.arrow(grace.left(), Point(325, 425), Point(325, 311), unwitnessed.right(), tone="page")

    for at, answer in (
        (Point(705, 178), "yes"),
        (Point(690, 303), "yes"),
        (Point(690, 417), "not yet"),
        (Point(524, 260), "no"),
        (Point(524, 373), "no"),
        (Point(350, 448), "over"),
    ):
        d.text(at, answer, muted=True, size=14)
    for y, line in (
        (512, "An hour may be reconciled again at any time: a late witness changes the verdict,"),
        (533, "and a finding that was paged once is never paged twice."),
    ):
        d.text(Point(500, y), line, muted=True, size=14)
    return d
