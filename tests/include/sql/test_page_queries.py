"""The query a page gives for all its findings is one that Athena takes and that finds them."""

from __future__ import annotations

from typing import Any

from tests.include.sql.test_golden import NOW, columns_of, render
from tests.support.findings import finding
from tests.support.golden import run_golden

from custody.core.paging.changes import Change, Status
from custody.core.paging.form import document_of
from custody.core.paging.messages import GROUP_ABOVE, pages

PRINCIPAL = "arn:aws:iam::111122223333:user/o'brien"


def test_the_query_of_a_page_finds_what_it_tells_of() -> None:
    news = [
        Change(
            Status.OPEN,
            finding("REMOVED", version_id=f"v{n}", principal_arn=PRINCIPAL),
        )
        for n in range(GROUP_ABOVE + 1)
    ]
    (page,) = pages(
        news,
        unread={},
        window_start="2026-11-01 06:00:00.000",
        window_end="2026-11-01 07:00:00.000",
        table="provenance_ledger",
    )
    document = document_of(page.message)
    assert isinstance(document, dict)

    def row(version: str, **changes: str) -> dict[str, Any]:
        here = {"verdict": "REMOVED", "principal_arn": PRINCIPAL, "dt": "2026-11-01", "hour": "06"}
        return here | {"version_id": version} | changes

    found = run_golden(
        document["query"],
        {
            "reconciliation": [
                row("v0"),
                row("v1"),
                row("other", principal_arn="other"),
                row("verified", verdict="VERIFIED"),
                row("later", hour="07"),
                row("earlier", dt="2026-10-31"),
            ]
        },
        {"reconciliation": columns_of(render("provenance/create_reconciliation.sql"))},
        NOW,
        views={"provenance_ledger": render("provenance/provenance_ledger.sql")},
    )
    assert sorted(each["version_id"] for each in found) == ["v0", "v1"]
