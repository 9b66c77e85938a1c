"""The settings that Airflow reads, from the Parameter Store, held against those deployed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from custody.aws.s3.errors import code_of
from custody.core.formats.untrusted import MalformedInput
from custody.settings import Settings

_WITHHELD: Final = frozenset({"ParameterNotFound", "AccessDeniedException"})


@dataclass(frozen=True, slots=True)
class OtherSettings:
    """The parameter has other settings than those deployed: the names of those that differ (none:
    it is gone, or cannot be read), its version, and since when."""

    differing: tuple[str, ...]
    version: int
    since: datetime


def other_settings(
    ssm: Any, deployed: Settings, *, written_before: datetime, now: datetime
) -> OtherSettings | None:
    """How the parameter of a deployment differs from its settings; None if it does not, or if it
    was written later than `written_before`: a deployment changes it minutes before what holds it
    against the settings.

    Raises what botocore raises, but where there is no parameter or none that may be read.
    """
    try:
        found = ssm.get_parameter(Name=deployed.parameter_name)["Parameter"]
    except ClientError as error:
        if code_of(error) in _WITHHELD:
            return OtherSettings((), 0, now)
        raise
    if found["LastModifiedDate"] > written_before:
        return None
    try:
        differing = deployed.differences(Settings.parse(found["Value"]))
    except MalformedInput:
        differing = tuple(sorted(deployed.fields.values))
    if not differing:
        return None
    return OtherSettings(differing, found["Version"], found["LastModifiedDate"])
