"""The checker of the standard's own project finds our contracts right.

It is not ours, and reads the contracts by itself: a rule that we would misread shows here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DEPLOYED = sorted((REPOSITORY / "include" / "contracts").glob("*.odcs.yaml"))
SAMPLES = {
    "parcels.csv": "parcel,sent_on,weight,late\nP1,2026-11-01,1.50,yes\nP2,2026-11-02,22.5,no\n",
    "parcels.jsonl": '{"parcel": "P1", "pieces": 1}\n{"parcel": "P2", "pieces": 20}\n',
}


def datacontract(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("datacontract")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("contract", DEPLOYED, ids=lambda path: path.name)
def test_a_contract_follows_the_standard(contract: Path) -> None:
    done = datacontract("lint", contract)
    assert done.returncode == 0, done.stdout


def test_a_contract_that_does_not_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.odcs.yaml"
    right = DEPLOYED[0].read_text("utf-8")
    wrong.write_text(right.replace("logicalType: date", "logicalType: day", 1), "utf-8")
    assert datacontract("lint", wrong).returncode != 0


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_contract_that_was_begun_from_a_sample_follows_it(tmp_path: Path, sample: str) -> None:
    file = tmp_path / sample
    file.write_text(SAMPLES[sample], "utf-8")
    begin = (
        "import sys; from pathlib import Path; from infra.datasets.new import files_of\n"
        "made = files_of('parcels', Path(sys.argv[1]))\n"
        "print(made['include/contracts/parcels.odcs.yaml'].decode())"
    )
    made = subprocess.run(
        [REPOSITORY / ".venvs" / "local" / "bin" / "python", "-c", begin, file],
        cwd=REPOSITORY,
        env={"PYTHONPATH": "plugins"},
        capture_output=True,
        text=True,
        check=True,
    )
    contract = tmp_path / "parcels.odcs.yaml"
    contract.write_text(made.stdout, "utf-8")
    done = datacontract("lint", contract)
    assert done.returncode == 0, done.stdout
