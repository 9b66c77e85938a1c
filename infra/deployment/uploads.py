"""Who may upload which dataset: what the contracts say, with the ARNs that a stage knows.

The contracts are the only source: they give the setting by which the ledger judges, and the
statements by which the bucket of bronze refuses an uploader of one dataset in another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.deployment.errors import DeployError
from infra.deployment.templates.reading import Template

from custody.core.datasets.catalog import SUFFIX, ContractsRefused, read_contracts
from custody.core.datasets.uploads import (
    Uploads,
    arns_of,
    datasets_by_uploaders,
    folder_of,
    read_uploads,
    uploader_of,
    write_uploads,
)
from custody.core.formats.yaml_text import read_yaml

PARAMETER: Final = "Uploads"
ARNS: Final = "UploaderArns"
FORMER: Final = "FormerUploaders"

_MAX_PARAMETER: Final = 4096
"""CloudFormation's quota for the value of a parameter, in bytes."""

_MAX_POLICY: Final = 20 * 1024 - 6 * 1024
"""S3's quota for the policy of a bucket, in bytes, without what the template itself says."""

_ELSEWHERE: Final = "DenyUploadsElsewhere"
"""The statement of the template after which those of the datasets stand."""


@dataclass(frozen=True)
class Declared:
    """The uploads that the contracts of a repository declare."""

    folder: Path
    uploads: Uploads
    files: Mapping[str, str] = field(default_factory=dict)
    """The contracts, by the names of their files."""

    @classmethod
    def read(cls, folder: Path) -> Declared:
        """What the contracts in a folder say.

        Raises DeployError if one of them cannot be used, by file, line and field, or if they are
        too many.
        """
        files = {path.name: path.read_text("utf-8") for path in folder.glob(f"*{SUFFIX}")}
        try:
            contracts = read_contracts(files)
        except ContractsRefused as refused:
            lines = str(refused).splitlines()
            raise DeployError("\n  ".join([f"{folder}: nothing was changed:", *lines])) from refused
        uploads = {c.dataset: tuple(u.name for u in c.about.uploaders) for c in contracts}
        declared = cls(folder, uploads, files)
        if len(declared.text) > _MAX_PARAMETER:
            raise DeployError(
                f"{folder}: who may upload what takes more than the {_MAX_PARAMETER} bytes of a "
                "parameter: let more datasets have the same roles, or shorter names"
            )
        return declared

    @property
    def text(self) -> str:
        """The setting by which the ledger judges."""
        return write_uploads(self.uploads)

    def by(self, arns: str) -> Uploading:
        """The same, by the ARNs of the parameter `UploaderArns`.

        Raises DeployError if nobody could upload a dataset, or it cannot be told who.
        """
        known = tuple(filter(None, (arn.strip() for arn in arns.split(","))))
        problems = [*_of_one_name(known), *self._without_uploader(known)]
        if problems:
            raise DeployError("\n  ".join(["nothing was changed:", *problems]))
        uploading = Uploading(self.uploads, known)
        if uploading.policy_bytes > _MAX_POLICY:
            raise DeployError(
                f"{self.folder}: who may upload what takes more than the {_MAX_POLICY} bytes that "
                "S3 has for it in the policy of a bucket: let more datasets have the same roles"
            )
        return uploading

    def completing(self, arns: str | None) -> Callable[[Template], None]:
        """What completes a template where uploaders have these ARNs; nothing where it has none."""
        return (lambda _: None) if arns is None else self.by(arns).declare

    def _without_uploader(self, known: tuple[str, ...]) -> Iterator[str]:
        for dataset, names in sorted(self.uploads.items()):
            if not arns_of(names, known):
                file = f"{dataset}{SUFFIX}"
                line = read_yaml(self.files[file]).line_of(("roles",))
                yield (
                    f"{self.folder}/{file}:{line}: roles: nobody may upload {dataset}: {ARNS} has "
                    f"no user or role called {' or '.join(names)}"
                )


@dataclass(frozen=True)
class Uploading:
    """Who may upload which dataset in a stage."""

    uploads: Uploads
    arns: tuple[str, ...]

    def remarks(self, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
        """A line for each uploader whom only the stage knows, or only the contracts, and for each
        who loses a dataset by a change of the stack's parameters, unnoticed by the ledger."""
        declared = {name for names in self.uploads.values() for name in names}
        known = {uploader_of(arn) for arn in self.arns}
        for name in sorted(declared - known):
            yield f"{name} uploads nothing here: {ARNS} has no user or role of that name"
        for arn in self.arns:
            if uploader_of(arn) not in declared:
                yield f"{arn} uploads no dataset: it is no role of any contract"
        former = {item.partition("=")[0] for item in now.get(FORMER, "").split(",")}
        for dataset, names in read_uploads(before.get(PARAMETER, "")).items():
            may = arns_of(self.uploads.get(dataset, ()), self.arns)
            for arn in arns_of(names, before.get(ARNS, "").split(",")):
                if arn not in may and not former & {arn, f"{dataset}/{arn}"}:
                    yield (
                        f"{arn} may not upload {dataset} any more. Name him in {FORMER} "
                        f"(`{dataset}/{arn}=<UTC time>`), or what he uploaded lately is a finding"
                    )

    @property
    def policy_bytes(self) -> int:
        """How much of a bucket's policy the people and the datasets take, at most."""
        datasets = [_resource(dataset) for dataset in self.uploads]
        said = [self._statements(_SAMPLE), datasets, self.arns, self.arns]
        text = json.dumps(said, separators=(",", ":"))
        return len(text) + _LONGER * text.count("Fn::Sub")

    def declare(self, template: Template) -> None:
        """Let a policy of the template know the datasets, if one of them is bronze's."""
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::S3::BucketPolicy":
                statements = resource["Properties"]["PolicyDocument"]["Statement"]
                for place, statement in enumerate(statements):
                    if statement.get("Sid") == _ELSEWHERE:
                        # What is written once in YAML may be one object with another statement.
                        new = deepcopy(statement)
                        new["NotResource"] += map(_resource, sorted(self.uploads))
                        statements[place : place + 1] = [new, *self._statements(statement)]
                        break

    def _statements(self, like: dict[str, Any]) -> list[dict[str, Any]]:
        """A statement for each group of uploaders: nobody else writes into their datasets."""
        rest = {key: like[key] for key in ("Effect", "Principal", "Action")}
        return [
            {
                "Sid": f"DenyUploadsByOthersThan{number}",
                **rest,
                "Resource": [_resource(dataset) for dataset in datasets],
                "Condition": {
                    "ArnNotLike": {"aws:PrincipalArn": list(arns_of(uploaders, self.arns))}
                },
            }
            for number, (uploaders, datasets) in enumerate(
                datasets_by_uploaders(self.uploads).items(), start=1
            )
        ]


_SAMPLE: Final = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"}

_LONGER: Final = 16
"""How many characters more than its placeholder a bucket's ARN has, at most."""


def _resource(dataset: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::${{Raw}}/{folder_of(dataset)}*"}


def _of_one_name(arns: tuple[str, ...]) -> Iterator[str]:
    """What is wrong where a contract's role could be two."""
    named = Counter(map(uploader_of, arns))
    for arn in arns:
        if named[uploader_of(arn)] > 1:
            yield f"{ARNS}: {arn} is called as another is, and contracts name uploaders by that"
