"""`custody check`: proofs and cases, from the files alone: no AWS, no network."""

from __future__ import annotations

import argparse
from pathlib import Path

from custody.cli.arguments import Commands, new_command
from custody.cli.commands.verify import describe
from custody.cli.errors import CannotCheck
from custody.cli.output import Output
from custody.cli.reading.archive import BadArchive, open_archive
from custody.cli.reading.deployment import read_keys
from custody.core.case.check import CaseReport, check_case
from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import KEYS
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.model import HashedVersion
from custody.core.seal.entries import RecordEntry, parse_entry
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.proof import check_proof, extra_of
from custody.core.tlog.signed_note import MAX_NOTE_BYTES, BadNote

_PROOF_BEGINS = b"c2sp.org/tlog-proof"


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "check",
        _run,
        about="check proofs and cases, offline",
        well="every file is good",
        wrong="a file is bad: changed, forged, or no case or proof at all",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a case or a proof")
    parser.add_argument(
        "--keys", "--key", type=Path, help="keys to trust, as custody keys writes them"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    return check(args.files, read_keys(args.keys) if args.keys else None, output)


def check(paths: list[Path], trusted: KeyRing | None, output: Output) -> bool:
    """Check each file, with nothing but the `trusted` keys; whether all are good.

    Without them a case is checked with the keys in it, which are printed to be compared. Raises
    `CannotCheck` for a file that cannot be read, and for a proof without keys.
    """
    good = [_check_file(path, trusted, output) for path in paths]
    return all(good)


def _check_file(path: Path, trusted: KeyRing | None, output: Output) -> bool:
    try:
        with path.open("rb") as file:
            begins = file.read(len(_PROOF_BEGINS))
        if begins == _PROOF_BEGINS:
            return _check_proof(path, trusted, output)
        return _check_case(path, trusted, output)
    except OSError as error:
        raise CannotCheck(f"{path} cannot be read: {error.strerror or error}") from error


def _bad(path: Path, problem: object, output: Output) -> bool:
    output.document({"kind": "finding", "file": str(path), "reason": str(problem)})
    output.line(f"{path}: BAD: {problem}", "bold red")
    return False


# Proofs


def _check_proof(path: Path, trusted: KeyRing | None, output: Output) -> bool:
    if trusted is None:
        raise CannotCheck(f"{path} is a proof, which holds no keys: give --keys FILE")
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
        about = f"{entry.key} sha256 {entry.sha256}" if isinstance(entry, RecordEntry) else entry
        output.document(
            {
                "kind": "proof",
                "file": str(path),
                "entry": entry.to_bytes().decode(),
                "index": included.index,
                "checkpoint": _describe_checkpoint(included.checkpoint),
            }
        )
        output.line(f"{path}: good: {about}", "green")
        output.line(f"  is entry {included.index} of {_named(included.checkpoint)}")
        return True
    return _bad(path, problem or "no key of a seal is given", output)


# Cases


def _check_case(path: Path, trusted: KeyRing | None, output: Output) -> bool:
    try:
        with open_archive(path) as case:
            keys = KeyRing.parse(case.read(KEYS))
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
            report = check_case(case.manifest, case.read, keys, contents)
    except (BadArchive, MalformedInput) as error:
        return _bad(path, error, output)
    strange = keys.beyond(trusted) if trusted is not None else []
    findings = [*report.findings, *(f"{key} is not among those trusted" for key in strange)]
    _print_documents(path, report, keys, findings, output, pinned=trusted is not None)
    _print_case(report, keys, output, pinned=trusted is not None)
    for finding in findings:
        output.line(f"  BAD: {finding}", "bold red")
    verdict = "good" if not findings else f"BAD: {len(findings)} findings"
    output.line(f"{path}: {verdict}", "bold red" if findings else "green")
    return not findings


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
    output.line("  The case was checked with the keys in it. Compare them with those you know:")
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
) -> None:
    for checked in report.objects:
        output.document({"kind": "object", "file": str(path), **describe(checked)})
    for finding in findings:
        output.document({"kind": "finding", "file": str(path), "reason": finding})
    output.document(
        {
            "kind": "case",
            "file": str(path),
            "good": not findings,
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
