"""Each kind of dirt is rejected for the reasons it is labelled with, whatever row it falls on."""

from datetime import date
from pathlib import Path

import pytest
from tests.data.customers_oracle import HEADER, read_file
from tests.data.fates import Read

from customer_feed import dirt
from feed.draws import Draws

DAY = date(2026, 11, 1)
ROW = {
    "customer_id": "C000000042",
    "first_name": 'Edson "Pelé"',
    "last_name": "King, Jr.",
    "email": "edson@post.example",
    "country": "BR",
    "signup_date": "2026-01-31",
    "last_login": "2026-10-31T23:59:59Z",
    "total_orders": "3",
    "total_spent_usd": "12.30",
    "is_premium": "true",
}


def read(lines: list[str], directory: Path) -> list[Read]:
    file = directory / "rows.csv"
    file.write_bytes("".join(line + "\n" for line in (HEADER, *lines)).encode())
    return list(read_file(file, DAY))


def test_columns_are_those_of_the_header() -> None:
    assert ",".join(dirt.COLUMNS) == HEADER
    assert tuple(ROW) == dirt.COLUMNS


@pytest.mark.parametrize("row", [ROW, ROW | {"last_login": "", "last_name": ""}])
def test_soiled_rows_are_rejected_for_the_labelled_reasons(
    row: dict[str, str], tmp_path: Path
) -> None:
    soiled = [dirt.soiled(row, DAY, Draws("soiled", n)) for n in range(3000)]
    found = read([line for line, _ in soiled], tmp_path)
    assert [
        (line, sorted(reasons), sorted(each.reasons))
        for (line, reasons), each in zip(soiled, found, strict=True)
        if reasons != each.reasons
    ] == []
    assert len({line for line, _ in soiled}) > 60


def test_untidy_rows_are_the_same_rows(tmp_path: Path) -> None:
    lines = [dirt.csv_line(dirt.untidy(ROW, Draws("untidy", n))) for n in range(300)]
    found = read(lines, tmp_path)
    assert [each.values for each in found if each.values != ROW or each.reasons] == []
    assert len(set(lines)) > 30
