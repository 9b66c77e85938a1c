"""The canonical archive. That no byte of one can change is tested with a whole case."""

import hashlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.reading.archive import BadArchive, measure, open_archive, write_archive


def test_the_form_is_this_one():
    """What Python 3.11, 3.12 and 3.13 write. Cases that were given away stay readable."""
    file = io.BytesIO()
    write_archive(file, {"b/1.json": b"{}\n", "a": b""})
    assert hashlib.sha256(file.getvalue()).hexdigest() == (
        "1869dfed0e823fdde3711cae9c16ecfc4c9babb4504006f2efeb742122dbf1f8"
    )


def test_the_same_members_are_the_same_bytes_wherever_they_come_from(tmp_path):
    (tmp_path / "b").write_bytes(b"bb")
    one, other = io.BytesIO(), io.BytesIO()
    write_archive(one, {"a": b"a", "b": tmp_path / "b"})
    write_archive(other, {"b": b"bb", "a": b"a"})
    assert one.getvalue() == other.getvalue()
    assert measure(tmp_path / "b") == measure(b"bb")
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a", "b"]


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: b"PK\x05\x06" + b))
def test_what_is_no_archive_is_refused_and_nothing_else_is_raised(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("archive") / "case.zip"
    path.write_bytes(content)
    with pytest.raises(BadArchive), open_archive(path):
        pass


@pytest.mark.parametrize("manifest", [b"", b"{}", b"[]"])
def test_an_archive_without_a_manifest_is_no_case(tmp_path, manifest):
    with (tmp_path / "case.zip").open("wb") as file:
        write_archive(file, {"manifest.json": manifest} if manifest else {"a": b""})
    with pytest.raises(BadArchive), open_archive(tmp_path / "case.zip"):
        pass


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_archive(tmp_path):
    with pytest.raises(FileNotFoundError), open_archive(tmp_path / "none.zip"):
        pass
