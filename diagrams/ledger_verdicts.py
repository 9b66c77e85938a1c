"""How the ledger decides: from the two witnesses of one object version to its verdict."""

from diagrams.drawing import Box, Drawing, Point

TITLE = "How the ledger decides on one object version"
STORY = (
    "If a record of the version is not signed by a key in its period, the verdict is "
    "BAD_SIGNATURE. If records contradict each other, something else stands in the place of the "
    "record, or the record contradicts CloudTrail, it is CONFLICT. If one witness is missing, it "
    "is PENDING within the grace period; after it, a write without a record is UNRECORDED and a "
    "record without a write is UNWITNESSED. If both are here, it is PENDING until a digest vouches "
    "for the event, UNEXPECTED_PRINCIPAL if the writer is not declared for the layer, and "
    "otherwise VERIFIED."
)


def draw() -> Drawing:
    d = Drawing(1000, 800, TITLE, STORY)
    start = d.box(
        Box(380, 24, 240, 74), "data", "One object version", "from CloudTrail, its records, or both"
    )
    signed = d.box(
        Box(350, 130, 300, 70), "plain", "Is every record signed?", "by a key, within its period"
    )
    contradict = d.box(
        Box(350, 236, 300, 92),
        "plain",
        "Do the witnesses contradict?",
        "records differ, or one is displaced ·",
        "request ids differ · too few bytes arrived",
    )
    both = d.box(Box(380, 364, 240, 66), "plain", "Are both here?", "an event and a record")
    proven = d.box(
        Box(380, 470, 240, 66), "plain", "Is the event proven?", "by a digest of CloudTrail"
    )
    declared = d.box(Box(380, 576, 240, 66), "plain", "Is the writer declared?", "for this layer")
    verified = d.box(Box(394, 682, 212, 66), "ledger", "VERIFIED", "nobody is woken")
    for here, there in (
        (start, signed),
        (signed, contradict),
        (contradict, both),
        (both, proven),
        (proven, declared),
    ):
        d.arrow(here.bottom(), there.top())
    d.arrow(declared.bottom(), verified.top(), tone="ledger")

    bad = d.box(Box(748, 130, 224, 70), "page", "BAD_SIGNATURE", "pages: who made this?")
    conflict = d.box(Box(748, 246, 224, 72), "page", "CONFLICT", "pages: which story is true?")
    pending = d.box(Box(748, 467, 224, 72), "data", "PENDING", "looked at again later")
    undeclared = d.box(
        Box(748, 573, 224, 72), "page", "UNEXPECTED_PRINCIPAL", "pages: no declared writer"
    )
    grace = d.box(
        Box(40, 364, 226, 66), "plain", "Is the grace over?", "30 minutes after the write"
    )
    unrecorded = d.box(Box(40, 482, 226, 72), "page", "UNRECORDED", "pages: a write nobody hashed")
    unwitnessed = d.box(
        Box(40, 588, 226, 72), "page", "UNWITNESSED", "pages: a record, but no write"
    )
    d.arrow(signed.right(), bad.left(), tone="page")
    d.arrow(contradict.right(), conflict.left(), tone="page")
    d.arrow(both.left(), grace.right())
    d.arrow(proven.right(), pending.left())
    d.arrow(declared.right(), undeclared.left(), tone="page")
    d.arrow(grace.bottom(), unrecorded.top(), tone="page")
    d.arrow(grace.left(), Point(20, 397), Point(20, 624), unwitnessed.left(), tone="page")
    d.arrow(grace.top(), Point(153, 342), Point(700, 342), Point(700, 490), pending.left(0.3))

    for at, answer in (
        (Point(690, 156), "no"),
        (Point(690, 270), "yes"),
        (Point(323, 388), "no"),
        (Point(668, 494), "not yet"),
        (Point(690, 600), "no"),
        (Point(524, 220), "yes"),
        (Point(524, 360), "no"),
        (Point(528, 452), "yes"),
        (Point(528, 558), "yes"),
        (Point(528, 664), "yes"),
        (Point(180, 458), "over"),
        (Point(200, 336), "not yet"),
    ):
        d.text(at, answer, muted=True, size=14)
    d.text(
        Point(500, 780),
        "A late witness changes the verdict; a finding that was paged once is never paged twice.",
        muted=True,
        size=14,
    )
    return d
