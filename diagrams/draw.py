"""Render every picture to SVG and PNG beside its source: `python -m diagrams.draw`.

PNGs are drawn with a font from a package, not with the machine's, so that they look the same
wherever they are made.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

import resvg_py
from diagrams import deployment, ledger_verdicts, lineage, overview
from diagrams.drawing import Drawing

HERE = Path(__file__).parent
PICTURES: Mapping[str, Callable[[], Drawing]] = {
    "deployment": deployment.draw,
    "lineage": lineage.draw,
    "overview": overview.draw,
    "ledger-verdicts": ledger_verdicts.draw,
}
# Sharp on screens with two pixels per point.
ZOOM = 2
WEIGHTS = ("Regular", "Semibold")


def png(svg: str, *, style: str | None = None) -> bytes:
    """The picture as PNG; `style` as a page would add it (for a look at the dark one)."""
    fonts = resources.files("font_source_sans_pro") / "files"
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        style_sheet=style,
        zoom=ZOOM,
        skip_system_fonts=True,
        font_files=[str(fonts / f"SourceSansPro-{weight}.ttf") for weight in WEIGHTS],
        font_family="Source Sans Pro",
    )


def main() -> int:
    for name, draw in PICTURES.items():
        svg = draw().svg()
        (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
        (HERE / f"{name}.png").write_bytes(png(svg))
        print(f"diagrams/{name}.svg and .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
