"""Object names and files that break naive pipelines, with what must become of each."""

from dataclasses import dataclass

HEADER = (
    "customer_id,first_name,last_name,email,country,signup_date,last_login,total_orders,"
    "total_spent_usd,is_premium"
)
MAX_KEY_BYTES = 1024


@dataclass(frozen=True)
class HostileFile:
    """A file, and its row account: landed = silver + duplicate + quarantined."""

    name: str
    body: bytes
    landed: int
    silver: int
    quarantined: int
    broken: bool = False


def row(customer_id: int) -> str:
    return (
        f"C{customer_id:09d},Zoë,Müller,zoe{customer_id}@example.com,DE,"
        "2024-05-06,2026-10-01T10:00:00Z,3,19.90,true"
    )


def good_file(name: str, customer_id: int) -> HostileFile:
    return HostileFile(name, f"{HEADER}\n{row(customer_id)}\n".encode(), 1, 1, 0)


def oddly_named(prefix: str) -> list[HostileFile]:
    """Good files of one row each, under names that are hard to carry through."""
    longest = "l" * (MAX_KEY_BYTES - len(prefix.encode()) - len("ö.csv".encode())) + "ö.csv"
    names = [
        "with space.csv",
        "plus+sign.csv",
        "per%cent%2F.csv",
        "single'quote.csv",
        'double"quote.csv',
        "naïve-日本語-🦄.csv",
        longest,
    ]
    return [good_file(name, 900_000_001 + n) for n, name in enumerate(names)]


def broken_files() -> list[HostileFile]:
    """Files no row of which can be trusted; the whole file goes to quarantine."""
    return [
        HostileFile("empty.csv", b"", 0, 0, 0, broken=True),
        HostileFile("wrong-header.csv", b"id,name\n1,Ada\n2,Alan\n", 0, 0, 0, broken=True),
        HostileFile("not-csv.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 0, 0, 0, broken=True),
    ]
