"""What the local AWS made of each resource, asked through its APIs in the words of its template.

One reader for each resource type of the platform: it returns the properties of the resource as
they are now, spelled as CloudFormation spells them. What it does not return counts as not
provided; `NOT_READ` names the few properties that no API gives back, each with its reason.
"""

from __future__ import annotations

from localaws.cloudformation.readers import (
    airflow,
    catalog,
    identity,
    messaging,
    network,
    running,
    storage,
    watching,
)
from localaws.cloudformation.readers.apis import Reader

_STACK = "AWS::CloudFormation::Stack"
READERS: dict[str, Reader] = {
    _STACK: lambda _apis, _id, _wanted: {},
    **airflow.READERS,
    **catalog.READERS,
    **identity.READERS,
    **messaging.READERS,
    **network.READERS,
    **running.READERS,
    **storage.READERS,
    **watching.READERS,
}
NOT_READ: dict[str, frozenset[str]] = {
    _STACK: frozenset({"Parameters", "TemplateURL"}),  # read as its resources
    **catalog.NOT_READ,
    **identity.NOT_READ,
    **messaging.NOT_READ,
    **network.NOT_READ,
    **running.NOT_READ,
    **storage.NOT_READ,
}
