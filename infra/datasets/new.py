"""Begin a dataset from a sample of its files: `make new-dataset NAME=… SAMPLE=…`.

Writes the contract, a query for one gold table, and a case for the tests: the sample with what must
become of its rows. Nothing that is there is written over.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.build import REPOSITORY
from infra.datasets.json_sample import SUFFIXES, read_json_sample
from infra.datasets.parquet_sample import read_parquet_sample
from infra.datasets.sample import BadSample, Sample, read_csv_sample
from infra.datasets.scaffold import contract_text, expected, gold_query, to_look_at

from custody.core.datasets.contract_fields import ContractError, Place, name


def files_of(dataset: str, path: Path) -> dict[str, bytes]:
    """The dataset's files by their names in the repository.

    Raises ContractError for a dataset that cannot be called so, and BadSample.
    """
    name(dataset, Place() / "NAME")
    sample, landed = read_sample(path), f"sample{path.suffix}"
    try:
        contract = contract_text(dataset, sample)
    except ContractError as error:
        raise BadSample(
            f"{path}: {error.problem}. A contract calls columns as the file does: whoever makes "
            "the file has to name them so"
        ) from error
    return {
        f"include/contracts/{dataset}.odcs.yaml": contract.encode(),
        f"include/sql/gold/{dataset}_total.sql": gold_query(dataset).encode(),
        f"tests/datasets/{dataset}/landed/{landed}": path.read_bytes(),
        f"tests/datasets/{dataset}/expect.yaml": expected(sample, landed).encode(),
    }


def read_sample(path: Path) -> Sample:
    """What a sample says, by the format that its name says; raises BadSample."""
    if not path.is_file():
        raise BadSample(f"{path}: there is no such file")
    if path.suffix in SUFFIXES:
        return read_json_sample(path)
    return read_parquet_sample(path) if path.suffix == ".parquet" else read_csv_sample(path)


def write(repository: Path, files: Mapping[str, bytes]) -> None:
    """Write the files; raises FileExistsError, before any is written, if one is there."""
    there = [file for file in files if (repository / file).exists()]
    if there:
        raise FileExistsError(
            f"{', '.join(there)}: the dataset is there already. Take another NAME, or these away"
        )
    for file, content in files.items():
        (repository / file).parent.mkdir(parents=True, exist_ok=True)
        (repository / file).write_bytes(content)


def next_steps(dataset: str) -> tuple[str, ...]:
    """What is done when no TODO is left, in this order."""
    case = f"tests/include/glue_jobs/test_datasets.py -k {dataset}"
    return (
        "make check-contracts   # can the contract be used?",
        "make datasets          # writes its page",
        f".venvs/glue/bin/python -m pytest {case}   # builds the sample by the real jobs",
        "make test-fast",
        "and commit. docs/operations.md#a-new-dataset goes on from here",
    )


def main() -> None:
    """Write the files of a dataset, and say what to look at and to do."""
    parser = argparse.ArgumentParser(
        prog="make new-dataset", usage="make new-dataset NAME=<dataset> SAMPLE=<file>"
    )
    parser.add_argument("name")
    parser.add_argument("sample")
    given = parser.parse_args()
    if not given.name or not given.sample:
        parser.error(
            "it takes the dataset's name (a-z, 0-9 and _) and a file as it would land: CSV, JSON "
            "lines (.jsonl) or Parquet (.parquet)"
        )
    try:
        files = files_of(given.name, Path(given.sample))
        write(REPOSITORY, files)
    except (BadSample, ContractError, OSError) as error:
        sys.exit(f"new-dataset: {error}")
    print("wrote", *files, sep="\n  ")
    print("look at", "every TODO", *to_look_at(read_sample(Path(given.sample))), sep="\n  ")
    print("then", *next_steps(given.name), sep="\n  ")


if __name__ == "__main__":
    main()
