"""The account's root keys: random per home, used to create the first users and nothing else."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path

from localaws.files import write_private
from localaws.settings import Settings, SettingsError

_KEY_ALPHABET = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class RootKeys:
    """An access key of the account's root."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def root_keys(settings: Settings) -> RootKeys:
    """This home's root keys, made on first use (file `aws/root.json`, mode 0600).

    Raises SettingsError when the file is damaged.
    """
    path = settings.aws / "root.json"
    if not path.exists():
        access_key_id = "AKIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16))
        keys = RootKeys(access_key_id, secrets.token_urlsafe(30))
        document = {"AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}
        write_private(path, json.dumps(document))
        return keys
    return _read(path)


def _read(path: Path) -> RootKeys:
    try:
        document = json.loads(path.read_text())
        return RootKeys(document["AccessKeyId"], document["SecretAccessKey"])
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} is damaged ({error!r}): reset the local AWS") from error
