"""The task that runs a job of the medallion, and tells OpenLineage what the run signed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.operators.glue import GlueJobOperator

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.s3.reading import read_current
from custody.core.datasets.catalog import SUFFIX
from custody.core.datasets.contracts import Contract, contract_of
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.lineage.model import Lineage, Run
from custody.core.lineage.trust import Trust, lineage_of_run
from custody.tasks.defaults import client

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors.base import OperatorLineage


class TableJob(GlueJobOperator):
    """A run of a job that builds tables: `GlueJobOperator`, and what its events say.

    `stated` names (with templates) the key that signs lineage and those that did before, the bucket
    where that lies, the job's ARN, and the Glue database; `include` is the folder with the
    contracts and the gold SQL.
    """

    template_fields: Sequence[str] = (*GlueJobOperator.template_fields, "stated")

    def __init__(self, *, stated: dict[str, str], include: str, **given: Any) -> None:
        super().__init__(**given)
        self.stated = stated
        self.include = include
        self.succeeded: str | None = None

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> str:
        """Give the id of the run, which has succeeded."""
        self.succeeded = super().execute_complete(context, event)
        return self.succeeded

    def get_openlineage_facets_on_complete(self, _: Any) -> OperatorLineage[Any, Any]:
        """What the run states, if its signature holds; the provider asks, and logs what it raises.

        Raises `NoLineage`, `BadLineage` or what botocore raises.
        """
        # Where no provider of OpenLineage is installed nobody asks, and nobody must import it.
        from airflow.providers.openlineage.extractors.base import OperatorLineage  # noqa: PLC0415

        from custody.tasks.lineage.datasets import (  # noqa: PLC0415
            SignedLineageRunFacet,
            inputs,
            outputs,
        )

        if self.succeeded is None:
            return OperatorLineage()
        run = Run(self.script_args["--dt"], self.succeeded)
        lineage, statements = self._stated(run)
        sources = self._contract(lineage), self._query(lineage)
        return OperatorLineage(
            inputs=inputs(lineage, sources),
            outputs=outputs(lineage, sources, self.stated["database"]),
            run_facets={"custody_signedLineage": SignedLineageRunFacet(statements)},
        )

    def _stated(self, run: Run) -> tuple[Lineage, list[dict[str, str]]]:
        """The lineage of a run, and which objects state it."""
        s3, bucket = client("s3"), self.stated["provenance_bucket"]
        former = filter(None, self.stated["former_keys"].split(","))
        keys = fetch_public_keys(client("kms"), [self.stated["key_arn"], *former])
        statements = []

        def read(key: str) -> bytes | None:
            found = read_current(s3, bucket, key, max_bytes=MAX_ENVELOPE_BYTES)
            if found is None:
                return None
            digest = hashlib.sha256(found.body).hexdigest()
            at = found.version
            statements.append({"uri": at.uri, "versionId": at.version_id, "sha256": digest})
            return found.body

        trust = Trust(keys, frozenset({self.stated["job"]}))
        return lineage_of_run(run, read, trust), statements

    def _contract(self, lineage: Lineage) -> Contract | None:
        file = f"contracts/{self.script_args['--dataset']}{SUFFIX}"
        text = self._material(lineage, "contract", file)
        return None if text is None else contract_of(text, file)

    def _query(self, lineage: Lineage) -> str | None:
        file = f"sql/gold/{self.script_args.get('--gold_table')}.sql"
        return self._material(lineage, "gold_sql", file)

    def _material(self, lineage: Lineage, name: str, file: str) -> str | None:
        """The text of what a run built by, if the very bytes are here, too."""
        path = Path(self.include, file)
        content = path.read_bytes() if path.is_file() else b""
        hashes = {one.sha256 for one in lineage.materials if one.name == name}
        return content.decode() if hashlib.sha256(content).hexdigest() in hashes else None
