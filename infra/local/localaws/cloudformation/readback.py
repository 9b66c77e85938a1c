"""Check that a deployed stack is what its templates say.

An emulator may accept a template and ignore a part of it; a platform that then runs without
encryption, or with a wider policy, would prove nothing. So after a local deploy every property of
every resource, nested stacks included, is read back through the services' own APIs and compared
with the template's value, references resolved.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localaws.cloudformation.bucketproperties import UnsupportedPropertyError
from localaws.cloudformation.readers import NOT_READ, READERS
from localaws.cloudformation.readers.apis import Apis
from localaws.cloudformation.readers.storage import bucket_wanted
from localaws.settings import Settings

_MISSING = object()
# Ends a hang: the server may be busy.
_ANSWER_SECONDS = 600.0


class ReadbackError(RuntimeError):
    """The stack cannot be read back; says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not what the template says."""

    stack: str
    resource: str
    type: str
    property: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        found = "nothing" if self.found is None else json.dumps(self.found, default=str)
        wanted = json.dumps(self.wanted, default=str)
        return (
            f"{self.stack}/{self.resource} ({self.type}) {self.property}: "
            f"the template says {wanted}, there is {found}"
        )


def differences(settings: Settings, stack: str, session: boto3.Session) -> list[Difference]:
    """Everything in a stack that differs from its template; raises ReadbackError."""
    apis = Apis(session, settings.endpoint)
    found: list[Difference] = []
    for nested in _deployed(settings, stack):
        for resource in nested["resources"]:
            found += _of_resource(apis, nested["stack"], resource)
    return found


def _deployed(settings: Settings, stack: str) -> list[dict[str, Any]]:
    url = f"{settings.endpoint}/_local/cloudformation/{urllib.parse.quote(stack, safe='')}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ANSWER_SECONDS) as response:
            stacks: list[dict[str, Any]] = json.load(response)["stacks"]
    except urllib.error.HTTPError as error:
        raise ReadbackError(f"{stack}: {error.read().decode(errors='replace')}") from error
    except (OSError, ValueError, KeyError) as error:
        raise ReadbackError(f"{url}: {error}: is the local AWS running?") from error
    return stacks


def _of_resource(apis: Apis, stack: str, resource: Mapping[str, Any]) -> Iterator[Difference]:
    kind, name = resource["type"], resource["logical_id"]
    wanted: Mapping[str, Any] = resource["properties"]

    def difference(path: str, value: Any, actual: Any) -> Difference:
        return Difference(stack, name, kind, path, value, actual)

    reader = READERS.get(kind)
    if reader is None:
        yield difference("", "something", "a type nobody here can read back: add it to readers")
        return
    try:
        if kind == "AWS::S3::Bucket":
            wanted = bucket_wanted(wanted)
        found = reader(apis, resource["physical_id"], resource["properties"])
    except (ClientError, UnsupportedPropertyError, KeyError, StopIteration, ValueError) as error:
        yield difference("", "something", f"not readable: {error!r}")
        return
    for key, value in wanted.items():
        if key in NOT_READ.get(kind, ()) or key == "Tags":
            continue
        for path, part, actual in _compare(key, value, found.get(key, _MISSING)):
            yield difference(path, part, None if actual is _MISSING else actual)


def _compare(path: str, wanted: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """What of `wanted` is not in `found`; more than wanted is fine in an object, not in a list.

    Scalars are compared as text: a template's number may come back as one, and the reverse.
    """
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            yield from _compare(f"{path}.{key}", value, found.get(key, _MISSING))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (value, actual) in enumerate(zip(wanted, found, strict=True)):
            yield from _compare(f"{path}[{index}]", value, actual)
    elif isinstance(wanted, Mapping | list) or _text(wanted) != _text(found):
        yield path, wanted, found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # A service may keep a whole number as a fraction.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
