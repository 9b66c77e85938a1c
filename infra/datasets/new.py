"""Begin a dataset from a sample of its files: `python -m infra.datasets.new NAME SAMPLE`.

Writes the contract, a query for one gold table, and a case for the tests: the sample with what must
become of its rows. Nothing that is there is written over.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from infra.build import REPOSITORY
from infra.datasets.json_sample import SUFFIXES, read_json_sample
from infra.datasets.parquet_sample import read_parquet_sample
from infra.datasets.sample import BadSample, Sample, read_csv_sample
from infra.datasets.scaffold import contract_text, expected, gold_query, to_look_at

from custody.core.datasets.contract_fields import ContractError


def files_of(dataset: str, path: Path) -> dict[str, bytes]:
    """The dataset's files by their names in the repository; raises BadSample or ContractError."""
    sample, landed = read_sample(path), f"sample{path.suffix}"
    return {
        f"include/contracts/{dataset}.odcs.yaml": contract_text(dataset, sample).encode(),
        f"include/sql/gold/{dataset}_total.sql": gold_query(dataset).encode(),
        f"tests/datasets/{dataset}/landed/{landed}": path.read_bytes(),
        f"tests/datasets/{dataset}/expect.yaml": expected(sample, landed).encode(),
    }


def read_sample(path: Path) -> Sample:
    """What a sample says, by the format that its name says; raises BadSample."""
    if path.suffix in SUFFIXES:
        return read_json_sample(path)
    return read_parquet_sample(path) if path.suffix == ".parquet" else read_csv_sample(path)


def write(repository: Path, files: Mapping[str, bytes]) -> None:
    """Write the files; raises FileExistsError, before any is written, if one is there."""
    there = [name for name in files if (repository / name).exists()]
    if there:
        raise FileExistsError(f"{', '.join(there)}: the dataset is there already")
    for name, content in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_bytes(content)


def main() -> None:
    """Write the files of a dataset, and say what to look at."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", help="the dataset's name: a-z, 0-9 and _")
    parser.add_argument(
        "sample", type=Path, help="a file as it would land: CSV, .jsonl or .parquet"
    )
    given = parser.parse_args()
    try:
        files = files_of(given.name, given.sample)
        write(REPOSITORY, files)
    except (BadSample, ContractError, OSError) as error:
        parser.error(str(error))
    print("wrote", *files, sep="\n  ")
    print("look at", "every TODO", *to_look_at(read_sample(given.sample)), sep="\n  ")
    print("then run `make datasets`, and the tests")


if __name__ == "__main__":
    main()
