"""What a failed script's output says about why it failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from localaws.glue.jobruns.failures import error_message

SPARK = """2026-11-24 00:00:00 WARN TaskSetManager Lost task 0.0
Traceback (most recent call last):
  File "/x/script.py", line 9, in <module>
    main(sys.argv)
  File "/x/script.py", line 5, in main
    run()
pyspark.errors.exceptions.captured.AnalysisException: [PATH_ALREADY_EXISTS] Path s3://b/k exists.
Set mode as "overwrite".
2026-11-24 00:00:01 WARN ShutdownHookManager bye
"""
CHAINED = """Traceback (most recent call last):
  File "/x/script.py", line 1, in <module>
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/x/script.py", line 3, in <module>
__main__.NoInputError: nothing landed for customers on 2026-11-01: s3://raw/incoming/
"""


@pytest.mark.parametrize(
    ("stderr", "code", "message"),
    [
        (SPARK, 1, "AnalysisException: [PATH_ALREADY_EXISTS] Path s3://b/k exists."),
        (
            CHAINED,
            1,
            "NoInputError: nothing landed for customers on 2026-11-01: s3://raw/incoming/",
        ),
        (
            "Traceback (most recent call last):\n  File\nKeyboardInterrupt\n",
            130,
            "KeyboardInterrupt",
        ),
        ("usage: script.py\n", 2, "Command failed with exit code 2"),
        ("", 137, "Command failed with exit code 137: killed by signal 9"),
        (None, 3, "Command failed with exit code 3"),
    ],
)
def test_tells_the_last_exception_else_the_exit_code(
    tmp_path: Path, stderr: str | None, code: int, message: str
) -> None:
    path = tmp_path / "stderr"
    if stderr is not None:
        path.write_text(stderr)

    assert error_message(path, code) == message


def test_a_long_output_is_read_from_its_end_and_a_long_message_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "stderr"
    path.write_text("x" * 1_000_000 + f"\nTraceback (most recent call last):\nE: {'y' * 9000}\n")

    message = error_message(path, 1)

    assert message.startswith("E: yyy")
    assert len(message) == 4000
