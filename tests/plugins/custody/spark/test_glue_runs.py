"""What a run knows of itself. What it does on Spark: test_lineage.py."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.landing_zone import KEY_ARN, RAW, MemoryS3

from custody.aws.s3.errors import ObjectAbsent
from custody.core.lineage.model import Material
from custody.core.runs.code import OtherCode
from custody.spark import glue_runs
from custody.spark.glue_runs import (
    GlueRun,
    UnknownCode,
    check_deployed,
    code,
    fetch_material,
    job_arn,
    split_uri,
)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_job_is_named_by_its_arn():
    assert job_arn(KEY_ARN, "custody-dev-bronze-to-silver") == (
        "arn:aws:glue:us-east-1:111122223333:job/custody-dev-bronze-to-silver"
    )
    assert job_arn(KEY_ARN.replace("arn:aws:", "arn:aws-cn:"), "j").startswith("arn:aws-cn:glue:")
    with pytest.raises(ValueError, match="lineage_key_arn must be the ARN"):
        job_arn("alias/custody-dev-lineage", "j")


def test_the_code_of_a_run_is_its_script_and_the_archive_it_imports_from(tmp_path):
    """As Python sees it: the archive is on the path and the module file lies inside."""
    archive, script = tmp_path / "custody.zip", tmp_path / "job.py"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("package/__init__.py", "")
    script.write_text("import package; print(package.__file__)")
    run = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert code(str(script), run.stdout.strip()) == (
        Material("script", sha256(script.read_bytes())),
        Material("package", sha256(archive.read_bytes())),
    )


def test_code_that_cannot_be_told_is_an_error():
    with pytest.raises(UnknownCode, match=r"custody\.zip"):
        code(__file__, str(Path(glue_runs.__file__)))


def test_configuration_is_known_by_its_version_and_its_bytes():
    s3 = MemoryS3()
    s3.put(RAW, "contracts/c.yaml", b"old", "v1")
    s3.put(RAW, "contracts/c.yaml", b"new", "v2")
    uri = f"s3://{RAW}/contracts/c.yaml"
    assert fetch_material(s3, "contract", uri) == (
        b"new",
        Material("contract", sha256(b"new"), uri=uri, version_id="v2"),
    )


def test_a_run_holds_its_code_against_the_bundle_that_was_deployed():
    s3 = MemoryS3()
    sums = f"{sha256(b'package')}  custody.zip\n{sha256(b'script')}  jobs/job.py\n".encode()
    s3.put(RAW, f"{sha256(sums)}/SHA256SUMS", sums, "v1")
    materials = (Material("script", sha256(b"script")), Material("package", sha256(b"package")))
    run = GlueRun("job", "jr_1", {}, datetime(2026, 11, 1, tzinfo=UTC), materials)
    location = f"s3://{RAW}/{sha256(sums)}"
    check_deployed(s3, run, location)
    other = replace(run, materials=(materials[0], Material("package", sha256(b"other"))))
    with pytest.raises(OtherCode, match="the package that runs"):
        check_deployed(s3, other, location)
    with pytest.raises(ObjectAbsent):
        check_deployed(s3, run, f"s3://{RAW}/{sha256(b'nothing')}")


def test_a_uri_has_a_bucket_and_a_key():
    assert split_uri("s3://b/a/c.txt") == ("b", "a/c.txt")
    assert split_uri("s3://b/a/") == ("b", "a/")
