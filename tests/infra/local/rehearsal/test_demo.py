"""The order of the demo's phases, the platform acted out."""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from rich.console import Console

from rehearsal import demo
from rehearsal.machine import Machine
from rehearsal.platform import Platform

FILE = SimpleNamespace(principal="p", key="k", size_bytes=1, version_id="v")


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the demo does, in order, as it does it."""
    told: list[str] = []

    def acted(name: str, result: object) -> None:
        def act(*arguments: object, **_: object) -> object:
            told.append(" ".join([name, *(word for word in arguments if isinstance(word, str))]))
            return result

        monkeypatch.setattr(demo, name, act)

    acted("land_sample", [FILE])
    acted("switch_on", "run")
    acted("switch_on_from_now", None)
    acted("clear_of_schedule", None)
    acted("follow", None)
    acted("start_backfill", ["run"])
    acted("wait_settled", None)
    acted("tamper", [])
    acted("records_of_layer", 1)
    acted("verdicts", {("bronze", "VERIFIED"): 1})
    acted("count", 1)
    acted("query", [])

    def trigger(dag_id: str, _: object) -> str:
        told.append(f"trigger {dag_id}")
        return "run"

    def platform(machine: Machine) -> MagicMock:
        played = MagicMock(machine=machine, dags=Platform(machine).dags)
        played.airflow.trigger = trigger
        return played

    monkeypatch.setattr(demo, "Platform", platform)
    seal = SimpleNamespace(is_met=True, in_words="cosigned")
    monkeypatch.setattr(demo.cosigner, "seen", lambda *_: seal)
    monkeypatch.setattr(demo, "OnCall", lambda _: SimpleNamespace(pages=list))
    monkeypatch.setattr(demo, "SUMMARY", tmp_path / "summary.json")
    return told


def test_what_is_honest_is_audited_and_sealed_once_before_anybody_tampers(
    story: list[str], tmp_path: Path
) -> None:
    machine = Machine(tmp_path, 1, 2)
    demo.Demo(machine, Console(quiet=True)).run()
    played = [
        step for step in story if step.split()[0] in {"trigger", "clear_of_schedule", "tamper"}
    ]
    built = [step for step in story if step.startswith("start_backfill")]
    assert built == ["start_backfill medallion_customers", "start_backfill medallion_orders"]
    assert played == [
        "trigger provenance_reconcile",
        "trigger custody_audit",
        "clear_of_schedule provenance_reconcile",
        "tamper",
        "trigger provenance_reconcile",
    ]
    on = {step.split()[1] for step in story if step.startswith("switch_on")}
    assert on == Platform(machine).dags  # left on, for whoever looks around afterwards
