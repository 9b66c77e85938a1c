"""The contract that came with the code of a run, as material of what the run makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from custody.core.datasets.contracts import Contract, contract_of
from custody.core.lineage.model import CONTRACT, Material
from custody.spark.glue_runs import fetch_material

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def read_contract(s3: S3Client, code_location: str, dataset: str) -> tuple[Contract, Material]:
    """The contract of a dataset in the bundle at an S3 URI.

    Raises ContractError when it cannot be used, ValueError when it is another dataset's.
    """
    uri = f"{code_location}/contracts/{dataset}.odcs.yaml"
    body, material = fetch_material(s3, CONTRACT, uri)
    contract = contract_of(body.decode(), uri)
    if contract.dataset != dataset:
        raise ValueError(f"{uri} is the contract of {contract.dataset}, not of {dataset}")
    return contract, replace(material, version=contract.version)
