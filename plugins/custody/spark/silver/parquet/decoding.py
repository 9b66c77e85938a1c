"""The process that decodes a Parquet file: `main`, with little memory and no credentials.

It reads the file descriptor it is given, writes the decoded rows to another as a stream of Arrow's,
and tells on standard output how it went: a line of JSON, `{}` or with `code` and `detail`.
"""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from custody.core.datasets.landed.text import MAX_LINE_BYTES
from custody.spark.silver.parquet.bounds import (
    MAX_FOOTER_BYTES,
    MEMORY_BYTES,
    PIECE_BYTES,
    Refused,
    batch_rows,
    check_ends,
    check_groups,
    check_schema,
)


def main(source: int, target: int, wanted: Mapping[str, str], most_bytes: int) -> None:
    """Decode the file `source`; say how it went, and end."""
    told: dict[str, str] = {}
    _bound()
    try:
        with os.fdopen(source, "rb") as file, os.fdopen(target, "wb") as out:
            _decode(file, out, wanted, most_bytes)
    except Refused as refused:
        told = {"code": refused.code, "detail": refused.detail}
    except MemoryError:
        told = {
            "code": "file.too_large",
            "detail": f"decoding it takes more than {MEMORY_BYTES} bytes of memory",
        }
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
        told = {"code": "file.not_parquet", "detail": " ".join(str(error).split())[:300]}
    print(json.dumps(told), flush=True)


def _bound() -> None:
    """Take no more memory than decoding needs, beside what is taken already."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    taken = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _decode(file: Any, out: Any, wanted: Mapping[str, str], most_bytes: int) -> None:
    check_ends(file)
    parquet = pq.ParquetFile(
        file,
        pre_buffer=False,
        buffer_size=256 * 1024,
        thrift_string_size_limit=MAX_FOOTER_BYTES,
        thrift_container_size_limit=10 * MAX_FOOTER_BYTES,
    )
    check_schema(parquet.schema, wanted)
    check_groups(parquet.metadata)
    names = list(wanted)
    schema = pa.schema([(name, _plain(parquet.schema_arrow.field(name).type)) for name in names])
    rows = size = 0
    with pa.ipc.new_stream(out, schema) as stream:
        at_once = batch_rows(parquet.metadata)
        for batch in parquet.iter_batches(at_once, columns=names, use_threads=False):
            columns = [_as(batch.column(name), schema.field(name).type) for name in names]
            made = pa.RecordBatch.from_arrays(columns, schema=schema)
            made.validate(full=True)
            rows += len(made)
            # A row is at least its place.
            size += made.nbytes + 16 * len(made)
            if size > most_bytes:
                raise Refused("file.too_large", f"it unpacks to more than {most_bytes} bytes")
            for piece in _pieces(_cut(made)):
                stream.write_batch(piece)
    if rows != parquet.metadata.num_rows:
        raise Refused(
            "file.not_parquet", f"{rows} rows, where its footer says {parquet.metadata.num_rows}"
        )


def _plain(kind: Any) -> Any:
    """The type without what Arrow's own note in the file makes of it."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return kind


def _as(column: Any, kind: Any) -> Any:
    return column if column.type == kind else column.cast(kind)


def _cut(batch: Any) -> Any:
    """The batch with no text longer than a line may be and a character: its row is malformed, and
    of its line is kept no more."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type):
            is_long = pc.greater(pc.binary_length(column), MAX_LINE_BYTES)
            if is_long.true_count:
                short = pc.utf8_slice_codeunits(column, 0, MAX_LINE_BYTES + 1)
                column = pc.if_else(is_long, short, column)  # noqa: PLW2901 - the same one, cut
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _pieces(batch: Any) -> Iterator[Any]:
    """The batch in pieces that fit in the memory of whoever makes texts of them."""
    if len(batch) < 2 or batch.nbytes <= PIECE_BYTES:
        yield batch
        return
    half = len(batch) // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))
