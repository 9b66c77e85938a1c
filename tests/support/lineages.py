"""Lineage to test with: one run spelled out, and a Hypothesis strategy for any."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st
from tests.support.strategies import buckets, instants, texts, versions

from custody.core.lineage.model import HashedObject, Lineage, Material, Run
from custody.objects import ObjectVersion

KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
JOB_ARN = "arn:aws:glue:us-east-1:111122223333:job/custody-dev-bronze-to-silver"
RUN = Run("2026-11-01", "jr_0123456789abcdef")
PLACE = f"customers/dt={RUN.dt}/run={RUN.id}"
LINEAGE = Lineage(
    run=RUN,
    builder_id=JOB_ARN,
    platform={"python": "3.11.9", "spark": "3.5.6"},
    started_on=datetime(2026, 11, 2, 2, 0, 0, tzinfo=UTC),
    finished_on=datetime(2026, 11, 2, 2, 1, 30, 250_000, tzinfo=UTC),
    parameters={"dataset": "customers", "dt": RUN.dt, "lineage_key_arn": KEY_ARN},
    materials=(
        Material("script", "a1" * 32),
        Material("contract", "a2" * 32, "s3://code/contracts/c.odcs.yaml", "cV1", "1.2.0"),
    ),
    inputs=(
        HashedObject(
            ObjectVersion(
                "custody-dev-raw-111122223333", "incoming/customers/dt=2026-11-01/é +%.csv", "rV1"
            ),
            "b1" * 32,
        ),
    ),
    outputs=(
        HashedObject(
            ObjectVersion(
                "custody-dev-processed-111122223333",
                f"files/{PLACE}/part-0.parquet",
                "pV1",
            ),
            "c1" * 32,
        ),
        HashedObject(
            ObjectVersion(
                "custody-dev-processed-111122223333",
                f"silver/{PLACE}/part-0.parquet",
                "pV2",
            ),
            "c2" * 32,
        ),
    ),
)

sha256s = st.binary(min_size=32, max_size=32).map(bytes.hex)
runs = st.builds(
    Run,
    st.dates().map(lambda day: day.isoformat()),
    st.from_regex(r"[A-Za-z0-9_-]{1,80}", fullmatch=True),
)
hashed_objects = st.builds(HashedObject, versions, sha256s)
materials = st.builds(
    Material,
    texts,
    sha256s,
    uri=st.none() | texts,
    version_id=st.none() | texts,
    version=st.none() | texts,
)
file_names = texts.filter(lambda name: len(name.encode()) <= 300)


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    run = draw(runs)
    outputs = st.builds(
        lambda bucket, name, version_id, sha256: HashedObject(
            ObjectVersion(bucket, f"silver/customers/dt={run.dt}/run={run.id}/{name}", version_id),
            sha256,
        ),
        buckets,
        file_names,
        texts,
        sha256s,
    )
    return Lineage(
        run=run,
        builder_id=draw(texts),
        platform=draw(st.dictionaries(texts, texts, max_size=3)),
        started_on=draw(instants),
        finished_on=draw(instants),
        parameters=draw(st.dictionaries(texts, texts, max_size=5)) | {"dt": run.dt},
        materials=tuple(draw(st.lists(materials, max_size=3))),
        inputs=tuple(sorted(draw(st.sets(hashed_objects, max_size=5)))),
        outputs=tuple(sorted(draw(st.sets(outputs, min_size=1, max_size=5)))),
    )


def large(inputs: int, outputs: int) -> Lineage:
    """A run over many objects with long names."""
    long = "x" * 200
    return replace(
        LINEAGE,
        inputs=tuple(
            HashedObject(
                ObjectVersion("custody-dev-raw-111122223333", f"incoming/{long}/{i:07}", "v" * 32),
                "b1" * 32,
            )
            for i in range(inputs)
        ),
        outputs=tuple(
            HashedObject(
                ObjectVersion("custody-dev-processed", f"silver/{PLACE}/{long}/{i:07}", "v" * 32),
                "c1" * 32,
            )
            for i in range(outputs)
        ),
    )
