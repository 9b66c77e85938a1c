"""The runbook of a finding, as HTML, with its commands and queries filled in.

The runbooks are the repository's `docs/runbooks`; the bundle carries them inside of this package,
as MWAA takes no folder beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from custody.core.console.runbook import filled, values_of
from custody.core.ledger.rows import LedgerRow

_HERE: Final = Path(__file__).resolve().parent
_PLACES: Final = (_HERE / "runbooks", _HERE.parents[2] / "docs" / "runbooks")
_SHELL: Final = "console"


def runbook(finding: LedgerRow, settings: Mapping[str, str]) -> Markup | None:
    """The runbook of the finding's verdict; None where the runbooks are not at hand."""
    text = _text(finding.verdict)
    if text is None:
        return None
    values = values_of(finding, settings)
    markdown = _markdown()
    # Not its title, which is the verdict.
    tokens = markdown.parse(text.partition("\n")[2])
    for token in tokens:
        _fill(token, values)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # Every text in it was escaped by the renderer: `html` is off, and values came in as code.
    return Markup(html)  # noqa: S704


def _fill(token: Token, values: Mapping[str, str]) -> None:
    if token.tag == "h2":
        token.tag = "h3"
    if token.type == "fence":
        token.content = filled(token.content, token.info.strip(), values)
    elif token.type == "code_inline":
        token.content = filled(token.content, _SHELL, values)
    for child in token.children or ():
        _fill(child, values)


@functools.cache
def _text(verdict: str) -> str | None:
    name = f"{verdict.lower()}.md"
    found = next((place / name for place in _PLACES if (place / name).is_file()), None)
    return None if found is None else found.read_text(encoding="utf-8")


@functools.cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    # They lead from page to page of the repository, which is not here: what they say stays.
    markdown.add_render_rule("link_open", _no_link)
    markdown.add_render_rule("link_close", _no_link)
    return markdown


def _no_link(*_: Any, **__: Any) -> str:
    return ""
