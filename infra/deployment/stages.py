"""The file of a stage: where it is deployed to, and with what.

    {
      "account": "111122223333",
      "region": "eu-central-1",
      "project": "custody",
      "tags": {"owner": "data-platform"},
      "deployers": ["arn:aws:iam::${AWS::AccountId}:role/deployer"],
      "parameters": {"LockDays": 365},
      "replica": {
        "region": "eu-west-1",
        "account": "444455556666",
        "role": "arn:aws:iam::444455556666:role/deployer",
        "parameters": {}
      }
    }

`${AWS::AccountId}` and `${AWS::Region}` stand for the account and the region in `deployers` and
`parameters`, where a value may also be a list. The stage `local`, which is bound to this machine by
its endpoint, takes the region the local AWS has.

`replica`, which may be left out, says where what cannot be made again has a second copy: in another
region, in another account, or both. In another account the copy is deployed as `role` there, and
`parameters` of its stack win over those of the stage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from infra.deployment.errors import DeployError
from infra.deployment.session import Caller

LOCAL: Final = "local"
PRODUCTION: Final = "prod"
KEY_ADMINISTRATORS: Final = "KeyAdministratorArns"
_FIELDS: Final = frozenset(
    {"account", "region", "project", "tags", "deployers", "parameters", "replica"}
)
_REPLICA_FIELDS: Final = dict.fromkeys(("region", "account", "role", "parameters"))
_PLACEHOLDER: Final = re.compile(r"\$\{(AWS::\w+)\}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_TO_THE_LOCAL_AWS: Final = (
    "Start it (`make up` also deploys) and name it with AWS_CONFIG_FILE and "
    "AWS_SHARED_CREDENTIALS_FILE (build/local/aws/config and credentials) and "
    "AWS_PROFILE=platform-engineer. Or name another stage (`make deploy STAGE=dev`)"
)


@dataclass(frozen=True)
class Place:
    """Where a deployment goes, and under which names."""

    project: str
    stage: str
    account: str
    region: str

    @property
    def prefix(self) -> str:
        """What the names of its stacks begin with; the root stack has no more."""
        return f"{self.project}-{self.stage}"

    def fill(self, text: str) -> str:
        """Replace the placeholders; raises DeployError for one it does not know."""
        known = {"AWS::AccountId": self.account, "AWS::Region": self.region}

        def value(match: re.Match[str]) -> str:
            if match[1] not in known:
                raise DeployError(f"{match[0]} is unknown: use ${{{'} or ${'.join(known)}}}")
            return known[match[1]]

        return _PLACEHOLDER.sub(value, text)


@dataclass(frozen=True)
class Replica:
    """Where the evidence has a second copy, and as whom it is deployed there."""

    region: str
    account: str
    deployers: tuple[str, ...]
    role_arn: str | None = None
    """In another account: a role there."""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """What a stage's file says."""

    file: Path
    place: Place
    tags: Mapping[str, str]
    deployers: tuple[str, ...]
    parameters: Mapping[str, str]
    replica: Replica | None = None


def read_stage(file: Path, region: str | None) -> Stage:
    """What the file of a stage says, in an environment that names `region` or none.

    Raises:
        DeployError: the file cannot be read, a field is wrong or was never filled in, or the
            environment names another region. It names the file and the field.
    """
    content = _object(file)
    unknown = sorted(content.keys() - _FIELDS)
    if unknown:
        raise DeployError(f"{file}: no such field: {', '.join(unknown)}")
    account = _text(file, content, "account")
    if not _ACCOUNT.fullmatch(account):
        raise DeployError(f"{file}: account must be the 12 digits of an account, not {account!r}")
    place = Place(
        project=_text(file, content, "project"),
        stage=file.stem,
        account=account,
        region=_region(file, content, region),
    )
    deployers = tuple(place.fill(arn) for arn in _deployers(file, content.get("deployers", [])))
    return Stage(
        file=file,
        place=place,
        tags=_tags(file, content.get("tags", {})),
        deployers=deployers,
        parameters=_parameters(file, place, content.get("parameters", {})),
        replica=_replica(file, place, deployers, content.get("replica")),
    )


def check_account(stage: Stage, caller: Caller) -> None:
    """Raises DeployError if the caller is in another account than the stage."""
    place = stage.place
    if caller.account != place.account:
        raise DeployError(
            f"the stage {place.stage} belongs in account {place.account} ({stage.file}), but your "
            f"credentials are those of {caller.arn}. Nothing was changed"
        )


def check_deployers(stage: Stage, caller: Caller, role_arn: str | None = None) -> None:
    """Raises DeployError if the caller, or a service role, is none of the stage's deployers.

    Buckets take uploads and changes from deployers alone: the caller uploads, and a service role,
    if there is one, changes.
    """
    strangers = [
        *([] if caller.is_one_of(stage.deployers) else [caller.arn]),
        *([role_arn] if role_arn and role_arn not in stage.deployers else []),
    ]
    if strangers:
        raise DeployError(
            f"{' and '.join(strangers)}: none of the deployers of the stage {stage.place.stage}, "
            f"which {stage.file} names: {', '.join(stage.deployers)}. Nothing was changed"
        )


def check_endpoint(stage: str, endpoint: str) -> None:
    """Raises DeployError for the stage `local` anywhere but on this machine.

    Its parameters suit a local AWS, and leave out a protection of the records.
    """
    host = urlsplit(endpoint).hostname
    if stage == LOCAL and host not in _LOOPBACK:
        raise DeployError(
            f"the stage local belongs on the local AWS, but {endpoint} would be asked. "
            f"{_TO_THE_LOCAL_AWS}"
        )


def _object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DeployError(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise DeployError(f"{file}: must be one JSON object")
    return content


def _text(file: Path, content: Mapping[str, Any], field: str) -> str:
    value = content.get(field, "")
    if not isinstance(value, str) or not value:
        raise DeployError(
            f"{file}: {field} is empty. A stage belongs in one account and region: fill them in, "
            "once, and commit the file (`aws sts get-caller-identity` shows your account)"
        )
    return value


def _region(file: Path, content: Mapping[str, Any], named: str | None) -> str:
    region = _text(file, content, "region")
    if file.stem == LOCAL and region == "${AWS::Region}":
        if not named:
            raise DeployError(
                "the stage local belongs on the local AWS, and your environment names no region. "
                f"{_TO_THE_LOCAL_AWS}"
            )
        return named
    if named and named != region:
        raise DeployError(
            f"the stage {file.stem} belongs in region {region} ({file}), but your environment "
            f"names {named} (AWS_REGION or AWS_DEFAULT_REGION). Nothing was changed"
        )
    return region


def _replica(file: Path, place: Place, deployers: tuple[str, ...], value: object) -> Replica | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not value.keys() <= _REPLICA_FIELDS.keys():
        raise DeployError(f"{file}: replica must be an object of {', '.join(_REPLICA_FIELDS)}")
    region, account = value.get("region", place.region), value.get("account", place.account)
    if (region, account) == (place.region, place.account):
        raise DeployError(f"{file}: replica must be in another region or account than the platform")
    role = value.get("role")
    if (account != place.account) != bool(role) or (role and f"::{account}:role/" not in role):
        raise DeployError(
            f"{file}: replica: in another account, and only there, role must name a role of it, as "
            "which the copy is deployed"
        )
    parameters = _parameters(file, place, value.get("parameters", {}))
    if role and place.stage == PRODUCTION and not parameters.get(KEY_ADMINISTRATORS):
        raise DeployError(
            f"{file}: replica: in prod, parameters must name {KEY_ADMINISTRATORS}: where copies "
            "have an account of their own, any administrator there may else disable their key"
        )
    return Replica(
        region=region,
        account=account,
        deployers=(role,) if role else deployers,
        role_arn=role,
        parameters=parameters,
    )


def _tags(file: Path, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise DeployError(f"{file}: tags: must be an object of texts")
    empty = sorted(name for name, one in value.items() if not one)
    if empty:
        raise DeployError(f"{file}: tags: {', '.join(empty)} must be filled in, or taken out")
    return dict(value)


def _deployers(file: Path, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise DeployError(f"{file}: deployers: must be a list of ARNs")
    if not value:
        raise DeployError(
            f"{file}: deployers is empty. Name the users and roles that deploy: nobody else may "
            "change how a bucket is set up (`aws sts get-caller-identity` shows who you are; for a "
            "role's session give the role's ARN)"
        )
    return value


def _parameters(file: Path, place: Place, value: object) -> dict[str, str]:
    """The parameters, filled in, as CloudFormation takes them."""
    if not isinstance(value, dict):
        raise DeployError(f"{file}: parameters: must be an object")
    parameters = {}
    for name, given in value.items():
        values = given if isinstance(given, list) else [given]
        if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in values):
            raise DeployError(f"{file}: {name}: must be text, a whole number or a list of them")
        parameters[name] = place.fill(",".join(str(one) for one in values))
    return parameters
