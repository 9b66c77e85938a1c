"""The contracts of the bundle that runs, against those that are to be deployed.

What was deployed lies in the artifacts bucket under its hash, and nobody can replace it there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.deployment.errors import DeployError
from infra.deployment.session import Session

from custody.core.datasets.catalog import SUFFIX
from custody.core.datasets.compatibility import changes, refusals
from custody.core.datasets.contract_fields import ContractError
from custody.core.datasets.contracts import Contract, contract_of
from custody.core.formats.yaml_text import read_yaml
from custody.core.runs.code import SUMS, OtherCode, bundled

_FOLDER = "contracts/"


def deployed_contracts(session: Session, location: str) -> dict[str, str]:
    """The contracts in a bundle at an S3 URI, by the names of their files.

    Raises DeployError if it is not there, or does not hold what its place names.
    """
    bucket, _, place = location.removeprefix("s3://").partition("/")
    s3 = session.client("s3")

    def read(name: str) -> bytes:
        try:
            body: bytes = s3.get_object(Bucket=bucket, Key=f"{place}/{name}")["Body"].read()
        except s3.exceptions.NoSuchKey as error:
            raise DeployError(
                f"{location}/{name} is not there, so what runs cannot be compared with "
                "the contracts here. If you know what changes, pass --allow-downgrade"
            ) from error
        return body

    try:
        files = bundled(read(SUMS), location)
    except OtherCode as error:
        raise DeployError(str(error)) from error
    contracts = {name: read(name) for name in files if name.startswith(_FOLDER)}
    for name, body in contracts.items():
        if hashlib.sha256(body).hexdigest() != files[name]:
            raise DeployError(f"{location}/{name} has not the SHA-256 that {SUMS} names")
    return {name.removeprefix(_FOLDER): body.decode() for name, body in contracts.items()}


@dataclass(frozen=True)
class Compared:
    """The contracts that run, and those in a folder that are to be deployed, by their files."""

    running: Mapping[str, str]
    folder: Path
    new: Mapping[str, str]

    def refusals(self) -> Iterator[str]:
        """A line for each change that breaks and that the contract's version does not say."""
        for file, before, after in self._pairs():
            document = read_yaml(self.new[file])
            for change in refusals(before, after):
                line = document.line_of(change.place.path)
                yield (
                    f"{self.folder}/{file}:{line}: {change}. Deployed is version {before.version}: "
                    "what breaks needs a higher MAJOR"
                )

    def remarks(self) -> Iterator[str]:
        """A line for each change, and for each dataset that is no more or cannot be compared."""
        for file in sorted(self.running.keys() - self.new.keys()):
            yield f"{_dataset(file)} has no contract any more: its tables stay, built no more"
        pairs = {file: (before, after) for file, before, after in self._pairs()}
        for file in sorted(self.running.keys() & self.new.keys() - pairs.keys()):
            yield f"{_dataset(file)}: what runs cannot be read by this version"
        for before, after in pairs.values():
            for change in changes(before, after):
                yield f"{after.dataset} {before.version} -> {after.version}: {change}"

    def _pairs(self) -> Iterator[tuple[str, Contract, Contract]]:
        """Each contract that was deployed and will be, by the name of its file, as it was and is.

        One that was none by the rules of today is left out.
        """
        for file in sorted(self.running.keys() & self.new.keys()):
            with suppress(ContractError):
                before = contract_of(self.running[file], file)
                yield file, before, contract_of(self.new[file], file)


def _dataset(file: str) -> str:
    return file.removesuffix(SUFFIX)
