"""Which cosigners must have signed a checkpoint: https://c2sp.org/tlog-policy.

The file is a list of lines, each `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`,
`group <name> any|all|<number> <name>…` or, once, `quorum <name>|none`. What it calls a *witness* is
called a cosigner here, as the platform has two witnesses of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.cosignature import CosignerKey
from custody.core.tlog.signed_note import NoteKey

_MAX_BYTES: Final = 256 * 1024
_MAX_NAMES: Final = 128
"""Logs, cosigners and groups together; the specification recommends at least 32 of each."""

_NONE: Final = "none"
_FORBIDDEN: Final = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True)
class Cosigner:
    """Who may cosign: the name the policy has for it, its key, and where it is asked."""

    name: str
    key: CosignerKey
    url: str | None


@dataclass(frozen=True)
class Group:
    """It has cosigned when `threshold` of its members have: cosigners and other groups."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class CosigningPolicy:
    """Whose signatures a checkpoint needs.

    `logs` are the keys of which one must have signed it (any will do if there are none), and
    `quorum` names the cosigner or the group that must have cosigned it, if any must.
    """

    logs: tuple[NoteKey, ...]
    cosigners: Mapping[str, Cosigner]
    groups: Mapping[str, Group]
    quorum: str | None

    def is_met_by(self, names: Collection[str]) -> bool:
        """Whether the cosigners of these names are a quorum."""
        return self.quorum is None or self._has_cosigned(self.quorum, names)

    def _has_cosigned(self, name: str, names: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in names
        return sum(self._has_cosigned(each, names) for each in group.members) >= group.threshold

    @property
    def asks_for(self) -> str:
        """The quorum in words."""
        return "nobody" if self.quorum is None else self._in_words(self.quorum)

    def _in_words(self, name: str) -> str:
        group = self.groups.get(name)
        if group is None:
            return name
        members = ", ".join(self._in_words(each) for each in group.members)
        return f"{group.threshold} of ({members})"

    @classmethod
    def parse(cls, text: str) -> CosigningPolicy:
        """Read a policy file. Raises `MalformedInput` naming the line.

        Octets that are not UTF-8 may stand for themselves by the error handler `surrogateescape`.
        """
        raw = text.encode("utf-8", "surrogateescape")
        if len(raw) > _MAX_BYTES:
            raise MalformedInput(_WHAT, f"is longer than the {_MAX_BYTES} bytes accepted")
        if _FORBIDDEN.search(raw):
            raise MalformedInput(_WHAT, "has a control character other than tab and newline")
        read = _Reading()
        for number, line in enumerate(text.split("\n"), start=1):
            words = re.split("[ \t]+", line.strip(" \t"))
            if words == [""] or words[0].startswith("#"):
                continue
            try:
                read.line(words)
            except ValueError as error:
                raise MalformedInput(f"{_WHAT}, line {number}", str(error)) from error
        if read.quorum is None:
            raise MalformedInput(_WHAT, "has no line `quorum <name>`")
        quorum = None if read.quorum == _NONE else read.quorum
        return cls(tuple(read.logs), read.cosigners, read.groups, quorum)


_WHAT: Final = "cosigning policy"


@dataclass
class _Reading:
    """The policy as far as its lines are read. Its methods raise `ValueError`."""

    logs: list[NoteKey] = field(default_factory=list)
    cosigners: dict[str, Cosigner] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None
    members: set[str] = field(default_factory=set)

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._log(NoteKey.parse(vkey))
            case ["witness", name, vkey]:
                self._cosigner(Cosigner(name, CosignerKey.parse(vkey), None))
            case ["witness", name, vkey, url]:
                self._cosigner(Cosigner(name, CosignerKey.parse(vkey), url))
            case ["group", name, threshold, first, *rest]:
                self._group(name, threshold, (first, *rest))
            case ["quorum", name]:
                self._quorum(name)
            case _:
                raise ValueError(f"{' '.join(words)[:80]!r} is no line of one")
        if len(self.logs) + len(self.cosigners) + len(self.groups) > _MAX_NAMES:
            raise ValueError(f"there are more than the {_MAX_NAMES} names accepted")

    def _log(self, key: NoteKey) -> None:
        if any(key.public_key == known.public_key for known in self.logs):
            raise ValueError(f"the key of the log {key.name[:80]!r} stands there twice")
        self.logs.append(key)

    def _cosigner(self, cosigner: Cosigner) -> None:
        self._check_new(cosigner.name)
        if any(
            cosigner.key.public_key == known.key.public_key for known in self.cosigners.values()
        ):
            raise ValueError(f"the key of the witness {cosigner.name[:80]!r} stands there twice")
        self.cosigners[cosigner.name] = cosigner

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        self._check_new(name)
        for member in members:
            self._check_known(member)
            if member in self.members:
                raise ValueError(f"{member[:80]!r} is a member twice")
            self.members.add(member)
        number = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not _NUMBER.fullmatch(number) or int(number) > len(members):
            raise ValueError(f"{threshold[:40]!r} is not any, all, or 1 to {len(members)}")
        self.groups[name] = Group(int(number), members)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise ValueError("there is a quorum already")
        if name != _NONE:
            self._check_known(name)
        self.quorum = name

    def _check_new(self, name: str) -> None:
        if name == _NONE or name in self.cosigners or name in self.groups:
            raise ValueError(f"{name[:80]!r} is defined already")

    def _check_known(self, name: str) -> None:
        if name not in self.cosigners and name not in self.groups:
            raise ValueError(f"no line before defines {name[:80]!r}")
