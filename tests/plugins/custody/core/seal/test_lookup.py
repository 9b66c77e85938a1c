from collections.abc import Iterable

from tests.plugins.custody.core.seal.test_entries import RECORD, VERDICT
from tests.support.transparency import KEY, ORIGIN, MemoryLog, entry

from custody.core.seal.layout import LeafRange
from custody.core.seal.lookup import leaf_ranges, prove_entry
from custody.core.tlog.proof import check_proof


def sealed() -> MemoryLog:
    """The record is leaf 3, in the second range of its day; another day lies between."""
    log = MemoryLog(2)
    log.append([VERDICT.to_bytes(), RECORD.to_bytes(), entry(4)])
    log.files[LeafRange(0, 2).path(RECORD.day)] = b""
    log.files[LeafRange(2, 3).path(VERDICT.day)] = b""
    log.files[LeafRange(3, 5).path(RECORD.day)] = b""
    return log


def lister(log: MemoryLog):
    def list_files(prefix: str) -> Iterable[str]:
        return reversed([path for path in log.files if path.startswith(prefix)])

    return list_files


def prove(log: MemoryLog, what=RECORD):
    return prove_entry(log.files.get, lister(log), what, origin=ORIGIN, keys=[KEY])


def test_an_entry_is_found_under_its_day_and_proven():
    log = sealed()
    proof = prove(log)
    assert proof is not None
    included = check_proof(proof, RECORD.to_bytes(), origin=ORIGIN, keys=[KEY])
    assert (included.index, included.checkpoint) == (3, log.checkpoint)


def test_what_is_not_sealed_has_no_proof():
    assert prove(MemoryLog(5)) is None
    empty = MemoryLog()
    empty.files.clear()
    assert prove(empty) is None


def test_ranges_of_a_day_in_their_order():
    assert leaf_ranges(lister(sealed()), RECORD.day, 5) == [LeafRange(0, 2), LeafRange(3, 5)]


def test_a_name_that_is_no_range_or_lies_beyond_the_log_misleads_nobody():
    log = sealed()
    log.files[f"day/{RECORD.day}/README"] = b""
    log.files[LeafRange(0, 10**12).path(RECORD.day)] = b""
    assert leaf_ranges(lister(log), RECORD.day, 5) == [LeafRange(0, 2), LeafRange(3, 5)]
    assert leaf_ranges(lister(log), RECORD.day, 4) == [LeafRange(0, 2)]
