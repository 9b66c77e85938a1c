"""Where in its bucket an MWAA environment finds a bundle.

A bundle is uploaded once, below its content hash, and never replaced: an environment that goes
back to an older bundle finds it as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The keys of a bundle, as `AWS::MWAA::Environment` and `UpdateEnvironment` take them.

    `PluginsS3ObjectVersion` and `RequirementsS3ObjectVersion` are the version ids that S3 answered
    when these two were uploaded. There is no start-up script, so `StartupScriptS3Path` stays unset.
    """

    content_hash: str
    """What `python -m infra.bundle` prints."""

    @property
    def dag_s3_path(self) -> str:
        return f"{self.content_hash}/dags"

    @property
    def plugins_s3_path(self) -> str:
        return f"{self.content_hash}/plugins.zip"

    @property
    def requirements_s3_path(self) -> str:
        return f"{self.content_hash}/requirements.txt"

    def uploads(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """The key of each file of the bundle in `folder`, and the file, in the order of names."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            yield f"{self.content_hash}/{file.relative_to(folder).as_posix()}", file
