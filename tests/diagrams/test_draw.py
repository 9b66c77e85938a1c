"""The committed pictures are the ones their source draws."""

import struct
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from diagrams.draw import PICTURES, ZOOM, main, png
from diagrams.drawing import Box, Drawing

from custody.core.ledger.verdicts import Verdict

DIAGRAMS = Path(__file__).parents[2] / "diagrams"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", PICTURES)
def test_committed_svg_is_up_to_date(name: str) -> None:
    committed = (DIAGRAMS / f"{name}.svg").read_text(encoding="utf-8")
    assert committed == PICTURES[name]().svg(), "run `make diagrams` and commit what changed"


def test_the_overview_shows_every_verdict_and_every_dag() -> None:
    shown = PICTURES["overview"]().svg().partition("</desc>")[2]
    dags = {file.stem for file in (DIAGRAMS.parent / "dags").glob("*.py")}
    assert [name for name in (*Verdict, *dags) if name not in shown] == []


def test_the_deployment_shows_every_template() -> None:
    shown = PICTURES["deployment"]().svg().partition("</desc>")[2]
    templates = {file.stem for file in (DIAGRAMS.parent / "infra/cloudformation").glob("*.yaml")}
    assert [name for name in templates if f">{name}<" not in shown and name != "evidence"] == []
    assert ">evidence ·" in shown


@pytest.mark.parametrize("name", PICTURES)
def test_committed_png_has_the_size_of_the_svg(name: str) -> None:
    drawing = PICTURES[name]()
    header = (DIAGRAMS / f"{name}.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:]) == (drawing.width * ZOOM, drawing.height * ZOOM)


@pytest.mark.parametrize("name", PICTURES)
def test_svg_tells_its_story_to_those_who_cannot_see_it(name: str) -> None:
    root = ET.fromstring(PICTURES[name]().svg())  # noqa: S314 (our own document)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title")
    assert len(root.findtext(f"{SVG}desc", "").split()) > 30


@pytest.mark.parametrize("name", PICTURES)
def test_everything_lies_on_the_ground(name: str) -> None:
    drawing = PICTURES[name]()
    root = ET.fromstring(drawing.svg())  # noqa: S314 (our own document)
    for rect in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.get(a, "nan")) for a in ("x", "y", "width", "height"))
        assert 0 <= x <= x + width <= drawing.width
        assert 0 <= y <= y + height <= drawing.height


def test_text_is_escaped() -> None:
    drawing = Drawing(100, 50, "a < b", "a & b")
    drawing.box(Box(5, 5, 90, 40), "plain", "<b> & c")
    assert "&lt;b&gt; &amp; c" in drawing.svg()
    assert png(drawing.svg()).startswith(b"\x89PNG")


def test_main_writes_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("diagrams.draw.HERE", tmp_path)
    assert main() == 0
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(f"{name}.{kind}" for name in PICTURES for kind in ("svg", "png"))
    assert "diagrams/overview.svg" in capsys.readouterr().out
