"""How the Glue Data Catalog is encrypted, which ministack knows nothing of: kept and told.

One setting for an account and region. Nothing is encrypted here. Source:
"GetDataCatalogEncryptionSettings" and its counterpart in AWS's Glue API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import glue

ACTIONS = ("GetDataCatalogEncryptionSettings", "PutDataCatalogEncryptionSettings")
_OFF: dict[str, Any] = {
    "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
    "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
}
# In ministack's state, so that it is kept with Glue's.
_settings = glue._ALL_STATE.setdefault("catalog_encryption", AccountRegionScopedDict())  # noqa: SLF001


def answer(action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What Glue answers to one of the two actions."""
    if action == ACTIONS[1]:
        put(payload["DataCatalogEncryptionSettings"])
        return {}
    return {"DataCatalogEncryptionSettings": _settings.get("catalog", _OFF)}


def put(settings: Mapping[str, Any]) -> None:
    """Keep what is said of both kinds of encryption; of what is not said, that it is off."""
    _settings["catalog"] = {**_OFF, **settings}
