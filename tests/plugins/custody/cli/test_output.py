"""What is printed."""

import json

import pytest

from custody.cli.output import ROWS_AT_ONCE, Output, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [("é 文", "é 文"), ("\x1b[2J", r"\x1b[2J"), ("a\nb", r"a\nb"), ("\u202e", r"\u202e")],
)
def test_nothing_reaches_a_terminal_that_could_move_its_cursor(text, shown):
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
