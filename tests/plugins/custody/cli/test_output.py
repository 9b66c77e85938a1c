"""What is printed."""

import io
import json
from contextlib import redirect_stdout

import pytest
from rich.tree import Tree

from custody.cli.output import ROWS_AT_ONCE, Output, branch, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("é 文", "é 文"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb", r"a\nb"),
        ("\u202e", r"\u202e"),
        ("\u3164", r"\u3164"),
    ],
)
def test_nothing_reaches_a_terminal_that_could_move_its_cursor_or_be_unseen(text, shown):
    assert plain(text) == shown


def test_markup_in_a_key_is_text(capsys):
    output = Output(as_json=False)
    output.table(("key",), [("[red]x[/red]",)])
    output.line("[bold]y")
    assert "[red]x[/red]" in (printed := capsys.readouterr().out)
    assert "[bold]y" in printed


def test_a_long_table_is_printed_as_it_comes(capsys):
    output = Output(as_json=False)
    seen = []

    def rows():
        for i in range(ROWS_AT_ONCE + 1):
            seen.append(capsys.readouterr().out)
            yield (i,)

    output.table(("number",), rows())
    assert str(ROWS_AT_ONCE - 1) in seen[-1] + capsys.readouterr().out
    assert seen[1:-1] == [""] * (ROWS_AT_ONCE - 1)


def test_json_is_one_document_on_a_line_and_nothing_else(capsys):
    output = Output(as_json=True)
    output.document({"key": "a\nb"})
    output.line("for people")
    output.table(("x",), [("for people",)])
    output.remark("about the check")
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == [{"key": "a\nb"}]
    assert printed.err == "custody: about the check\n"


LONG_KEY = "s3://custody-prod-raw-111122223333/incoming/customers/dt=2026-11-01/crm export.csv"
ROW = ("ok", LONG_KEY, "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", "ab" * 32, "Its bytes are as recorded.")
COLUMNS = ("outcome", "object", "version", "sha256 recorded", "why")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_a_terminal(monkeypatch):
    """Calls a function with an output on a terminal of 80 columns; returns what it showed."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")

    def on_a_terminal(show):
        with redirect_stdout(Terminal()) as terminal:
            show(Output(as_json=False))
        return terminal.getvalue()

    return on_a_terminal


def test_a_row_is_one_line_in_a_pipe_however_long_it_is(capsys):
    Output(as_json=False).table(COLUMNS, [ROW, ROW])
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "outcome"
    assert len(lines) == 2
    assert all(cell in line for cell in ROW for line in lines)


def test_a_table_that_fits_the_terminal_is_one(on_a_terminal):
    rows = [("ok", "s3://raw/a"), ("altered", "b")]
    shown = on_a_terminal(lambda output: output.table(("outcome", "object"), rows))
    assert [line.split() for line in shown.splitlines()] == [
        ["outcome", "object"],
        *map(list, rows),
    ]


def test_rows_too_wide_for_the_terminal_are_lists_of_whole_cells(on_a_terminal):
    """Only the terminal itself breaks a line, so that a name can be copied out of it."""
    shown = on_a_terminal(lambda output: output.table(COLUMNS, [ROW, ROW]))
    first, second = shown.strip("\n").split("\n\n")
    assert first == second
    assert [line.split("  ", 1)[0] for line in first.splitlines()] == list(COLUMNS)
    assert [line[len("sha256 recorded") :].strip() for line in first.splitlines()] == list(ROW)


def test_later_rows_look_as_the_first_ones_did(on_a_terminal):
    rows = [ROW, *[("ok", "a", "b", "c", "d")] * ROWS_AT_ONCE]
    shown = on_a_terminal(lambda output: output.table(COLUMNS, rows))
    assert shown.count("outcome") == len(rows)


def test_a_node_of_a_tree_is_one_line(on_a_terminal):
    tree = Tree(branch("run"))
    tree.add(branch(f"read {LONG_KEY}"))
    shown = on_a_terminal(lambda output: output.tree(tree))
    assert f"read {LONG_KEY}" in shown
