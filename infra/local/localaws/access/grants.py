"""Which statements have let a request through: a grant that no work ever needs can go.

Each line of `logs/grants.jsonl` in the home is a role or user, a statement of a policy of theirs by
its name, and an action, once. It outlives the server: work may go on after a kill.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, EvalResult

from localaws.access.conditions import principal_arn

FILE = "grants.jsonl"


def register(logs: Path) -> None:
    """Have ministack's evaluator note them in this folder; call it once in a process."""
    evaluate = iam_evaluator.evaluate
    file = logs / FILE
    known = set(file.read_text().splitlines()) if file.exists() else set[str]()

    def noting(context: EvalContext, policies: Any, *limits: Any) -> EvalResult:
        result: EvalResult = evaluate(context, policies, *limits)
        if result.decision == "Allow":
            line = json.dumps([principal_arn(context), result.matched_sid, context.action])
            if line not in known:
                known.add(line)
                with file.open("a") as lines:
                    lines.write(f"{line}\n")
        return result

    iam_evaluator.evaluate = noting
