"""`custody check`: proofs and cases, from the files alone: no AWS, no network."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from custody.cli.arguments import Commands, add_cosigning_policy, add_waive, new_command
from custody.cli.commands.verify import describe
from custody.cli.cosigners import show
from custody.cli.output import Output, print_gaps
from custody.core.case.check import CaseReport, check_case
from custody.core.case.checkpoints import checkpoint_notes
from custody.core.case.gaps import Gap, not_waived
from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import KEYS
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.stored_records import undisplaced_key
from custody.core.records.model import HashedVersion
from custody.core.records.names import record_id
from custody.core.seal.entries import RecordEntry, SealEntry, parse_entry
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.proof import check_proof, checkpoint_of, extra_of
from custody.core.tlog.quorum import cosigned
from custody.core.tlog.signed_note import MAX_NOTE_BYTES, BadNote
from custody.objects import ObjectVersion
from custody.reading.archive import BadArchive, open_archive
from custody.reading.deployment import now, read_keys, read_policy
from custody.reading.errors import CannotCheck
from custody.reading.locations import Location

_PROOF_BEGINS = b"c2sp.org/tlog-proof"


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "check",
        _run,
        about="check proofs and cases, offline",
        well="every file is good, and nothing is missing but what is waived",
        wrong="a file is bad: changed, forged, incomplete, about something else, or no case or "
        "proof at all",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a case or a proof")
    add_cosigning_policy(parser, "without it nobody is asked for")
    parser.add_argument(
        "--keys", "--key", type=Path, help="keys to trust, as custody keys writes them"
    )
    parser.add_argument(
        "--about", metavar="s3://bucket/key", help="the object that all of them must be about"
    )
    parser.add_argument("--version-id", help="and its version, which a proof needs")
    add_waive(parser, Gap.DEPLOYMENT, Gap.TRAIL, Gap.PROOF, Gap.SEAL, Gap.BYTES)


def _run(args: argparse.Namespace, output: Output) -> bool:
    about = About.parse(args.about, args.version_id) if args.about or args.version_id else None
    trusted = read_keys(args.keys) if args.keys else None
    policy = read_policy(args.policy) if args.policy else None
    return check(args.files, trusted, output, about=about, waived=args.waive, policy=policy)


@dataclass(frozen=True)
class About:
    """What files must be about: an object, and its version if that is given."""

    bucket: str
    key: str
    version_id: str | None

    def __str__(self) -> str:
        version = f" version {self.version_id}" if self.version_id else ""
        return f"s3://{self.bucket}/{self.key}{version}"

    @classmethod
    def parse(cls, uri: str | None, version_id: str | None) -> About:
        """Raises `CannotCheck` for what names no object."""
        if uri is None:
            raise CannotCheck("a version of what? Give --about s3://bucket/key")
        location = Location.parse(uri)
        return cls(location.bucket, location.key, version_id)

    def is_about(self, version: ObjectVersion) -> bool:
        return (self.bucket, self.key) == (version.bucket, version.key) and (
            self.version_id in (None, version.version_id)
        )

    def is_entry(self, entry: SealEntry) -> bool:
        """Whether an entry of the seal is one about the version; raises `CannotCheck` without
        one, as an entry names no object without it."""
        if self.version_id is None:
            raise CannotCheck("a proof is about one version of an object: give --version-id")
        version = ObjectVersion(self.bucket, self.key, self.version_id)
        if isinstance(entry, RecordEntry):
            return undisplaced_key(entry.key).endswith(f"/{record_id(version)}.json")
        return self.is_about(ObjectVersion(entry.bucket, entry.key, entry.version_id))


@dataclass(frozen=True)
class _Asked:
    """What the files are checked with: see `check`."""

    trusted: KeyRing | None
    about: About | None
    waived: Collection[Gap]
    policy: CosigningPolicy | None


def check(
    paths: list[Path],
    trusted: KeyRing | None,
    output: Output,
    *,
    about: About | None = None,
    waived: Collection[Gap] = (),
    policy: CosigningPolicy | None = None,
) -> bool:
    """Check each file, with nothing but the `trusted` keys; whether all are good, `about` what they
    should be, cosigned as the `policy` asks, and lack only what is `waived`.

    Without keys a case is checked with those in it, which are printed to be compared. Raises
    `CannotCheck` for a file that cannot be read, and for a proof without keys, or if it was not
    said what it should be about.
    """
    asked = _Asked(trusted, about, waived, policy)
    good = [_check_file(path, asked, output) for path in paths]
    return all(good)


def _check_file(path: Path, asked: _Asked, output: Output) -> bool:
    try:
        with path.open("rb") as file:
            begins = file.read(len(_PROOF_BEGINS))
        if begins == _PROOF_BEGINS:
            return _check_proof(path, asked, output)
        return _check_case(path, asked, output)
    except OSError as error:
        raise CannotCheck(f"{path} cannot be read: {error.strerror or error}") from error


def _bad(path: Path, problem: object, output: Output) -> bool:
    output.document({"kind": "finding", "file": str(path), "reason": str(problem)})
    output.line(f"{path}: BAD: {problem}", "bold red")
    return False


# Proofs


def _check_proof(path: Path, asked: _Asked, output: Output) -> bool:
    trusted, about = asked.trusted, asked.about
    if trusted is None:
        raise CannotCheck(f"{path} is a proof, which holds no keys: give --keys FILE")
    if about is None:
        raise CannotCheck(f"{path} is a proof and no case: give --about and --version-id")
    with path.open("rb") as file:
        raw = file.read(MAX_NOTE_BYTES + 1)
    problem: Exception | None = None
    for origin in sorted({key.name for key in trusted.seal}):
        try:
            entry = parse_entry(extra_of(raw) or b"")
            included = check_proof(raw, entry.to_bytes(), origin=origin, keys=trusted.seal)
        except (BadProof, BadNote, MalformedInput) as error:
            problem = error
            continue
        if not about.is_entry(entry):
            return _bad(path, f"it proves {entry}, which is not about {about}", output)
        if uncosigned := _uncosigned(path, [checkpoint_of(raw)], asked.policy, output):
            return _bad(path, uncosigned[0], output)
        said = f"{entry.key} sha256 {entry.sha256}" if isinstance(entry, RecordEntry) else entry
        output.document(
            {
                "kind": "proof",
                "file": str(path),
                "entry": entry.to_bytes().decode(),
                "index": included.index,
                "checkpoint": _describe_checkpoint(included.checkpoint),
            }
        )
        output.line(f"{path}: good: {said}", "green")
        output.line(f"  is entry {included.index} of {_named(included.checkpoint)}")
        return True
    return _bad(path, problem or "no key of a seal is given", output)


def _uncosigned(
    path: Path, notes: list[bytes], policy: CosigningPolicy | None, output: Output
) -> list[str]:
    """What is wrong with the cosignatures of each of the checkpoints, printing who cosigned."""
    if policy is None:
        return []
    shown = (show(cosigned(note, policy, now()), str(path), output) for note in notes)
    return [problem for problem in shown if problem is not None]


# Cases


def _check_case(path: Path, asked: _Asked, output: Output) -> bool:
    """Keys are compared first: what strangers signed is not read."""
    trusted, about = asked.trusted, asked.about
    try:
        with open_archive(path) as case:
            keys = KeyRing.parse(case.read(KEYS))
            strange = keys.beyond(trusted) if trusted is not None else []
            if strange:
                return _bad_keys(path, strange, output)
            contents = {
                item.content: HashedVersion(
                    case.manifest.members[item.content].sha256,
                    case.manifest.members[item.content].size,
                    etag="",
                    checksum=None,
                )
                for item in case.manifest.objects
                if item.content is not None
            }
            report = check_case(case.manifest, case.read, trusted or keys, contents)
            notes = checkpoint_notes(case.manifest, case.read)
    except (BadArchive, MalformedInput) as error:
        return _bad(path, error, output)
    findings = [*report.findings, *_uncosigned(path, notes, asked.policy, output)]
    subject = report.objects[0].version
    if about is not None and not about.is_about(subject):
        findings.append(f"it is about {subject.uri} version {subject.version_id}, not {about}")
    missing = not_waived(report.gaps, asked.waived)
    is_good = not findings and not missing
    _print_documents(
        path, report, keys, findings, output, pinned=trusted is not None, is_good=is_good
    )
    output.line(f"{path}: about {subject.uri} version {subject.version_id}")
    _print_case(report, keys, output, pinned=trusted is not None)
    for finding in findings:
        output.line(f"  BAD: {finding}", "bold red")
    print_gaps(report.gaps, asked.waived, output)
    verdict = "good" if is_good else f"BAD: {len(findings)} findings, {len(missing)} gaps"
    output.line(f"{path}: {verdict}", "green" if is_good else "bold red")
    return is_good


def _bad_keys(path: Path, strange: Iterable[str], output: Output) -> bool:
    for key in strange:
        _bad(path, f"{key} is not among those trusted", output)
    return False


def _print_case(report: CaseReport, keys: KeyRing, output: Output, *, pinned: bool) -> None:
    output.table(
        ("outcome", "object", "version", "sha256", "written by (CloudTrail)", "why"),
        [
            (
                checked.outcome,
                checked.version.uri,
                checked.version.version_id,
                describe(checked)["sha256"] or "",
                checked.write.who.arn if checked.write else "",
                checked.reason,
            )
            for checked in report.objects
        ],
    )
    for run in report.traced.walk() if report.traced else ():
        output.line(
            f"  run {run.run.id} of {run.run.dt} made {len(run.outputs)} of these files out of "
            f"{len(run.landed)} that landed and of {len(run.sources)} other runs"
        )
    for checkpoint in report.checkpoints:
        output.line(f"  sealed: {_named(checkpoint)}")
    for key in report.unsealed:
        output.line(f"  not sealed when the case was made: {key}")
    if pinned:
        return
    facts = keys.deployment.facts() if keys.deployment else {}
    output.line("  The case was checked with the keys in it. Compare them with those you know:")
    for name, value in facts.items():
        output.line(f"  {name} is {value}")
    output.table(
        ("signs", "sha256 of the public key", "key"),
        [(name.signs, name.sha256, name.key_id) for name in keys.names()],
    )


def _print_documents(
    path: Path,
    report: CaseReport,
    keys: KeyRing,
    findings: list[str],
    output: Output,
    *,
    pinned: bool,
    is_good: bool,
) -> None:
    for checked in report.objects:
        output.document({"kind": "object", "file": str(path), **describe(checked)})
    for finding in findings:
        output.document({"kind": "finding", "file": str(path), "reason": finding})
    output.document(
        {
            "kind": "case",
            "file": str(path),
            "good": is_good,
            "keys_compared": pinned,
            "keys": [
                {"signs": name.signs, "key_id": name.key_id, "sha256": name.sha256}
                for name in keys.names()
            ],
            "checkpoints": [_describe_checkpoint(each) for each in report.checkpoints],
            "unsealed": list(report.unsealed),
        }
    )


def _describe_checkpoint(checkpoint: Checkpoint) -> dict[str, object]:
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }


def _named(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.origin} ({checkpoint.size} entries, root {checkpoint.root.hex()})"
