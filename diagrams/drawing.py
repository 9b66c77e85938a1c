"""A small SVG canvas: lanes, boxes, pills and arrows in one look, for light and dark pages.

Colours are given twice: as attributes, which every renderer understands, and as a style for pages
in dark mode, which only browsers apply. The drawing has a ground of its own, so that it is legible
on any page.
"""

from dataclasses import dataclass, field
from typing import NamedTuple
from xml.sax.saxutils import escape

FONT = (
    "'Source Sans Pro', 'Source Sans 3', 'Segoe UI', 'Helvetica Neue', Helvetica, Arial, sans-serif"
)
LINE_HEIGHT = 1.3


class Tone(NamedTuple):
    """The fill and the line of one kind of thing, on a light and on a dark page."""

    fill: str
    line: str
    dark_fill: str
    dark_line: str


TONES = {
    "ground": Tone("#ffffff", "#d9dee7", "#0f141c", "#2c3645"),
    "plain": Tone("#ffffff", "#8793a6", "#1b2431", "#7c8aa0"),
    "data": Tone("#f1f4f8", "#c3ccd9", "#161e29", "#3a4657"),
    "recorder": Tone("#e6effd", "#3f74d1", "#12233f", "#6f9bea"),
    "trail": Tone("#fdf0db", "#c27c13", "#33240c", "#e0a548"),
    "ledger": Tone("#e4f4ea", "#2f8f57", "#10291b", "#5cc287"),
    "page": Tone("#fde7e6", "#c8433c", "#38161a", "#f0817a"),
}
INK = Tone("#1b2432", "", "#e8edf4", "")
MUTED = Tone("#566275", "", "#a9b5c6", "")


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """Where something was drawn; arrows start and end at its sides."""

    x: float
    y: float
    width: float
    height: float

    def top(self, share: float = 0.5) -> Point:
        return Point(self.x + self.width * share, self.y)

    def bottom(self, share: float = 0.5) -> Point:
        return Point(self.x + self.width * share, self.y + self.height)

    def left(self, share: float = 0.5) -> Point:
        return Point(self.x, self.y + self.height * share)

    def right(self, share: float = 0.5) -> Point:
        return Point(self.x + self.width, self.y + self.height * share)


@dataclass
class Drawing:
    """An SVG of so many pixels; `title` and `story` are for who cannot see it."""

    width: int
    height: int
    title: str
    story: str
    _parts: list[str] = field(default_factory=list)

    def lane(self, box: Box, tone: str, heading: str) -> Box:
        """A tinted area that holds boxes, with its heading at the top left."""
        self._rectangle(box, tone, radius=14)
        self.text(Point(box.x + 18, box.y + 28), heading, size=17, bold=True, middle=False)
        return box

    def box(self, box: Box, tone: str, heading: str, *lines: str) -> Box:
        """A box with a bold heading and plain lines under it, centred."""
        self._rectangle(box, tone, radius=10, width=1.6)
        sizes = [16.5, *(13.5 for _ in lines)]
        heights = [size * LINE_HEIGHT for size in sizes]
        y = box.y + (box.height - sum(heights)) / 2
        for index, (text, size, height) in enumerate(
            zip((heading, *lines), sizes, heights, strict=True)
        ):
            y += height
            at = Point(box.x + box.width / 2, y - height * 0.27)
            self.text(at, text, size=size, bold=index == 0, muted=index > 0)
        return box

    def pill(self, box: Box, tone: str, text: str) -> Box:
        self._rectangle(box, tone, radius=box.height / 2, width=1.6)
        self.text(
            Point(box.x + box.width / 2, box.y + box.height / 2 + 5), text, size=13, bold=True
        )
        return box

    def arrow(self, *points: Point, tone: str = "plain", dashed: bool = False) -> None:
        """A line through `points` with a head at the last; corners are rounded."""
        dash = ' stroke-dasharray="5 5"' if dashed else ""
        self._parts.append(
            f'<path class="line-{tone}" d="{_path(points)}" fill="none" '
            f'stroke="{TONES[tone].line}" stroke-width="2"{dash} marker-end="url(#head-{tone})"/>'
        )

    def text(
        self,
        at: Point,
        text: str,
        *,
        size: float = 13.5,
        bold: bool = False,
        muted: bool = False,
        middle: bool = True,
    ) -> None:
        name, tone = ("muted", MUTED) if muted else ("ink", INK)
        weight = ' font-weight="600"' if bold else ""
        anchor = ' text-anchor="middle"' if middle else ""
        self._parts.append(
            f'<text class="{name}" x="{_n(at.x)}" y="{_n(at.y)}" font-size="{_n(size)}"'
            f'{weight}{anchor} fill="{tone.fill}">{escape(text)}</text>'
        )

    def svg(self) -> str:
        heads = "\n".join(
            f'<marker id="head-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            f'markerHeight="7" orient="auto-start-reverse"><path class="head-{name}" '
            f'd="M0 0L10 5L0 10z" fill="{tone.line}"/></marker>'
            for name, tone in TONES.items()
        )
        opening = (
            '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" font-family="{FONT}">'
        )
        ground = Box(1, 1, self.width - 2, self.height - 2)
        return "\n".join(
            [
                opening,
                f"<title>{escape(self.title)}</title>",
                f"<desc>{escape(self.story)}</desc>",
                f"<style>@media (prefers-color-scheme: dark) {{\n{dark_style()}\n}}</style>",
                f"<defs>\n{heads}\n</defs>",
                _rectangle(ground, "ground", radius=18, width=1),
                *self._parts,
                "</svg>\n",
            ]
        )

    def _rectangle(self, box: Box, tone: str, *, radius: float, width: float = 1.2) -> None:
        self._parts.append(_rectangle(box, tone, radius=radius, width=width))


def dark_style() -> str:
    """The style rules of a dark page."""
    rules = [
        f".ink {{ fill: {INK.dark_fill} }}",
        f".muted {{ fill: {MUTED.dark_fill} }}",
    ]
    for name, tone in TONES.items():
        rules.append(f".tone-{name} {{ fill: {tone.dark_fill}; stroke: {tone.dark_line} }}")
        rules.append(f".line-{name} {{ stroke: {tone.dark_line} }}")
        rules.append(f".head-{name} {{ fill: {tone.dark_line} }}")
    return "\n".join(rules)


def _rectangle(box: Box, tone: str, *, radius: float, width: float) -> str:
    colours = TONES[tone]
    return (
        f'<rect class="tone-{tone}" x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" rx="{_n(radius)}" fill="{colours.fill}" '
        f'stroke="{colours.line}" stroke-width="{_n(width)}"/>'
    )


def _path(points: tuple[Point, ...], radius: float = 9) -> str:
    start, *rest = points
    steps = [f"M{_n(start.x)} {_n(start.y)}"]
    for before, corner, after in zip(points, rest, rest[1:], strict=False):
        into, out = _towards(corner, before, radius), _towards(corner, after, radius)
        steps.append(f"L{_n(into.x)} {_n(into.y)}")
        steps.append(f"Q{_n(corner.x)} {_n(corner.y)} {_n(out.x)} {_n(out.y)}")
    steps.append(f"L{_n(rest[-1].x)} {_n(rest[-1].y)}")
    return "".join(steps)


def _towards(origin: Point, target: Point, distance: float) -> Point:
    length = ((target.x - origin.x) ** 2 + (target.y - origin.y) ** 2) ** 0.5
    share = min(distance / length, 0.5)
    return Point(origin.x + (target.x - origin.x) * share, origin.y + (target.y - origin.y) * share)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
