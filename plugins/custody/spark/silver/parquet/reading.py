"""Decoding a verified Parquet file, apart from whoever has credentials, and giving its rows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from custody.core.datasets.columns import Column
from custody.core.datasets.landed.text import BrokenFileError
from custody.core.datasets.landed.unpacking import most_unpacked
from custody.spark.silver.parquet.texts import cut, lines_of, malformed, texts_of
from custody.spark.silver.rows import Rows

_SECONDS: Final = 30 * 60
"""A file takes minutes at most: what takes longer does not end."""
_PROGRAM: Final = """
import json, sys
path, source, target, wanted, most = json.loads(sys.argv[1])
sys.path[:] = path
from custody.spark.silver.parquet.decoding import main
main(source, target, wanted, most)
"""
_ENVIRONMENT: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}


def decoded(file: BinaryIO, columns: Sequence[Column]) -> Iterator[Any]:
    """The rows of a Parquet file on local disk, in batches of the columns, as they are typed there.

    Raises BrokenFileError before the first row if the file is none, is not of these columns and
    types (`file.schema`), or is more than may be read of one (`file.too_large`).
    """
    wanted = {column.name: column.type for column in columns}
    file.seek(0, 2)
    most = most_unpacked(file.tell())
    with tempfile.TemporaryFile() as spool:
        fds = (file.fileno(), spool.fileno())
        given = json.dumps([sys.path, *fds, wanted, most])
        try:
            # Nothing that it could tell anybody: no environment, and no file but these.
            ended = subprocess.run(
                [sys.executable, "-I", "-c", _PROGRAM, given],
                env=_ENVIRONMENT,
                pass_fds=fds,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BrokenFileError(
                "file.too_large", f"decoding it takes more than {_SECONDS} seconds"
            ) from error
        _check(ended)
        spool.seek(0)
        with pa.ipc.open_stream(spool) as stream:
            yield from stream


def _check(ended: subprocess.CompletedProcess[bytes]) -> None:
    """Raise BrokenFileError unless the process has told that all is well."""
    try:
        told = json.loads(ended.stdout)
    except ValueError:
        # It is for the file that it ended so; that it could not begin is for nobody's file.
        if ended.returncode > 0:
            raise RuntimeError(ended.stderr.decode(errors="replace")[-2000:]) from None
        detail = f"its reader was ended by signal {-ended.returncode}"
        raise BrokenFileError("file.not_parquet", detail) from None
    if told:
        raise BrokenFileError(told["code"], told["detail"])


def read_parquet(file: BinaryIO, columns: Sequence[Column]) -> Iterator[Rows]:
    """The same, as texts; and each row as a line of JSON, for quarantine.

    A row is malformed if that is longer than a line may be, or if a text of it has a NUL.
    """
    before = 0
    for batch in decoded(file, columns):
        values = [batch.column(column.name) for column in columns]
        texts = [texts_of(column, of) for column, of in zip(columns, values, strict=True)]
        lines = lines_of(columns, values, texts)
        broken = malformed(columns, texts, lines)
        if broken.true_count:
            texts = [pc.if_else(broken, None, text) for text in texts]
            lines = cut(lines, broken)
        numbers = pa.array(range(before + 1, before + len(batch) + 1), pa.int32())
        before += len(batch)
        if len(batch):
            yield Rows(numbers, lines, tuple(texts), broken, {})
