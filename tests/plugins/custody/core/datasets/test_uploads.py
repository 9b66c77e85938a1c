"""Who may upload which dataset, as one setting."""

from custody.core.datasets.uploads import (
    arns_of,
    datasets_by_uploaders,
    read_uploads,
    write_uploads,
)

UPLOADS = {
    "orders": ("web-shop", "crm-export"),
    "customers": ("crm-export", "web-shop"),
    "returns": ("partner@north.example",),
}
TEXT = "customers orders=crm-export web-shop,returns=partner@north.example"


def test_datasets_of_the_same_uploaders_are_told_once() -> None:
    assert write_uploads(UPLOADS) == TEXT
    assert datasets_by_uploaders(UPLOADS) == {
        ("crm-export", "web-shop"): ("customers", "orders"),
        ("partner@north.example",): ("returns",),
    }


def test_what_is_written_is_read_again() -> None:
    assert read_uploads(TEXT) == {d: tuple(sorted(names)) for d, names in UPLOADS.items()}
    assert read_uploads("") == {}


def test_an_uploader_is_called_as_his_user_or_role() -> None:
    mine = ("arn:aws:iam::1:user/crm-export", "arn:aws:iam::2:role/of/shop/web-shop")
    others = ("arn:aws:iam::1:user/crm-export2", "arn:aws:iam::1:user/web-shop/x")
    assert arns_of(("web-shop", "crm-export"), (*mine, *others)) == mine
