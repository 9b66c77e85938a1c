"""What must hold of every template, whatever is added to them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode
from infra.build import REPOSITORY

from custody.core.runs.model import RUN_PREFIX
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX, append_path, day_folder
from custody.core.tlog.tiles import bundle_path, tile_path
from custody.settings import Settings

TEMPLATES = REPOSITORY / "infra" / "cloudformation"
FILES = sorted(TEMPLATES.glob("*.yaml"))
LOADED: dict[str, dict[str, Any]] = {file.stem: decode(str(file))[0] for file in FILES}

ROOTS = (
    *("access", "bootstrap", "catalogencryption", "deployers", "evidence", "globalevents"),
    *("replica", "root"),
)
"""The stacks that are deployed; the others are nested in one of them."""

RESOURCES = [
    (stack, name, resource)
    for stack, template in LOADED.items()
    for name, resource in template["Resources"].items()
]


def of_type(*types: str) -> list[Any]:
    """The resources of these types, as test cases."""
    return [
        pytest.param(stack, name, resource["Properties"], id=f"{stack}.{name}")
        for stack, name, resource in RESOURCES
        if resource["Type"] in types
    ]


def documents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every policy document: where it is, what kind it is, and itself."""
    for stack, name, resource in RESOURCES:
        properties = resource.get("Properties", {})
        where = f"{stack}.{name}"
        # Who deploys makes all the others: `test_access` says what these two may.
        identity = "deploying" if stack == "deployers" else "identity"
        if "KeyPolicy" in properties:
            yield where, "key", properties["KeyPolicy"]
        if "AssumeRolePolicyDocument" in properties:
            yield where, "trust", properties["AssumeRolePolicyDocument"]
        if "PolicyDocument" in properties:
            kind = "resource"
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                kind = "boundary" if name == "Boundary" else identity
            yield where, kind, properties["PolicyDocument"]
        for policy in properties.get("Policies", []):
            yield f"{where}.{policy['PolicyName']}", identity, policy["PolicyDocument"]


def statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements, those under a condition as if it were met."""
    for statement in document["Statement"]:
        yield from (
            (branch for branch in statement["Fn::If"][1:] if "Effect" in branch)
            if "Fn::If" in statement
            else (statement,)
        )


STATEMENTS = [
    pytest.param(kind, statement, id=f"{where}.{statement.get('Sid')}")
    for where, kind, document in documents()
    for statement in statements(document)
]
ALLOWED = [case for case in STATEMENTS if case.values[1]["Effect"] == "Allow"]


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def plain(value: object) -> str:
    """A resource as text: what Sub substitutes stays as it is written in the template."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        return str(value["Fn::Sub"])
    return json.dumps(value)


def test_there_are_policies_to_look_at() -> None:
    assert {kind for _, kind, _ in documents()} == {
        "key",
        "trust",
        "resource",
        "identity",
        "boundary",
        "deploying",
    }
    assert len(ALLOWED) > 40


def test_a_silenced_rule_has_its_reason_beside_it() -> None:
    silenced = [
        (file.name, line)
        for file in FILES
        for line in file.read_text().splitlines()
        if re.search(r"^\s*- [EWI]\d{4}\b", line)
    ]
    assert silenced
    assert [where for where in silenced if not re.search(r"\d{4}\s+# \S+ \S+", where[1])] == []


def test_nested_templates_build_arns_from_names() -> None:
    """See the head of root.yaml. An address's allocation has an id that no name tells."""
    asking = {
        (stack, attribute)
        for stack, template in LOADED.items()
        for attribute in re.findall(r'"Fn::GetAtt": \[[^]]*"(\w+)"\]', json.dumps(template))
        if stack not in ROOTS
    }
    assert asking == {("network", "AllocationId")}


def test_nothing_names_an_account_a_region_or_a_partition() -> None:
    named = [
        (file.name, line)
        for file in FILES
        for line in file.read_text().splitlines()
        if re.search(r"\b\d{12}\b|\b[a-z]{2}-(east|west|central|north|south)\w*-\d|arn:aws", line)
        and "AllowedPattern" not in line
    ]
    # One TiB in bytes has thirteen digits; nothing else comes near.
    assert named == []


@pytest.mark.parametrize(
    ("stack", "parameter"),
    [(stack, name) for stack, template in LOADED.items() for name in template["Parameters"]],
)
def test_every_parameter_is_described(stack: str, parameter: str) -> None:
    declaration = LOADED[stack]["Parameters"][parameter]
    assert declaration["Description"]
    # Where people give values, they are guarded.
    if stack in ROOTS:
        assert declaration.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}


@pytest.mark.parametrize("stack", ROOTS)
def test_every_parameter_is_in_a_group(stack: str) -> None:
    interface = LOADED[stack]["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(LOADED[stack]["Parameters"])


# Policies


def test_every_statement_is_named_for_what_it_does() -> None:
    for where, _, document in documents():
        names = [statement.get("Sid", "") for statement in statements(document)]
        assert all(re.fullmatch(r"[A-Z][A-Za-z]{4,}", name) for name in names), where
        assert len(names) == len(set(names)), where


WITHOUT_RESOURCES = {
    "cloudtrail:DescribeTrails",
    "cloudtrail:ListPublicKeys",
    "cloudwatch:PutMetricData",
    "ec2:DescribeRegions",
    "glue:CreateSecurityConfiguration",
    "glue:DeleteSecurityConfiguration",
    "glue:GetSecurityConfiguration",
    "kms:CreateKey",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListAccounts",
    "s3:GetAccountPublicAccessBlock",
    "sns:Unsubscribe",
}


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_no_statement_allows_everything(kind: str, statement: Mapping[str, Any]) -> None:
    actions = listed(statement["Action"])
    assert "NotAction" not in statement
    assert "NotResource" not in statement
    assert [action for action in actions if action.endswith(":*") or action == "*"] == []
    # In a key's own policy "*" is that key; a trust policy has no resource. Some calls know none.
    # An event source mapping and a network have ids that no name tells: conditions bound them.
    named_later = kind == "deploying" and {a.split(":")[0] for a in actions} <= {"ec2", "lambda"}
    assert not named_later or "Condition" in statement or "*" not in listed(statement["Resource"])
    known = set(actions) <= WITHOUT_RESOURCES or named_later
    if kind not in ("key", "trust") and not known:
        assert "*" not in listed(statement["Resource"])


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_no_statement_allows_the_public(kind: str, statement: Mapping[str, Any]) -> None:
    if kind in ("identity", "boundary", "deploying"):
        assert "Principal" not in statement
        return
    principal = statement["Principal"]
    assert principal != "*"
    assert [who for who in principal.values() if "*" in listed(who)] == []


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_no_role_can_change_who_may_do_what(kind: str, statement: Mapping[str, Any]) -> None:
    if kind != "identity":
        return
    forbidden = re.compile(
        r"iam:|sts:|kms:(Put|Create|Schedule|Disable)|s3:(PutBucket|DeleteBucket|BypassGovernance)"
        r"|s3:(DeleteObjectVersion|PutObjectRetention|PutObjectLegalHold)|cloudtrail:(?!Get|List|Describe)|lambda:"
    )
    assert [action for action in listed(statement["Action"]) if forbidden.match(action)] == []


def test_who_assumes_each_role() -> None:
    trust = {
        where: {
            statement["Sid"]: statement["Principal"]
            for statement in statements(document)
            if statement["Action"] == "sts:AssumeRole"
        }
        for where, kind, document in documents()
        if kind == "trust"
    }
    assert trust == {
        "recorder.Role": {"LambdaAssumes": {"Service": "lambda.amazonaws.com"}},
        "recorder.LargeObjectRole": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "jobs.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "access.Auditor": {"AuditorsAssume": {"AWS": {"Ref": "AuditorArns"}}},
        "access.BreakGlass": {
            "NamedPeopleAssumeWithASecondFactor": {"AWS": {"Ref": "BreakGlassArns"}}
        },
        "deployers.Deployer": {"DeployersAssume": {"AWS": {"Ref": "DeployerArns"}}},
        "deployers.CloudFormation": {
            "CloudFormationAssumes": {"Service": "cloudformation.amazonaws.com"}
        },
        "catalogencryption.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "globalevents.Role": {"EventsAssume": {"Service": "events.amazonaws.com"}},
        "network.FlowLogRole": {"FlowLogsAssume": {"Service": "vpc-flow-logs.amazonaws.com"}},
        "audit.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "replication.Role": {"StorageAssumes": {"Service": "s3.amazonaws.com"}},
        "replication.BatchRole": {
            "BatchOperationsAssume": {"Service": "batchoperations.s3.amazonaws.com"}
        },
        "airflow.Role": {
            "ManagedAirflowAssumes": {
                "Service": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
            },
            "NamedPrincipalsAssume": {"AWS": {"Ref": "TrustedArns"}},
        },
    }


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_a_service_takes_a_role_for_this_account_alone(
    kind: str, statement: Mapping[str, Any]
) -> None:
    if kind == "trust" and "Service" in statement["Principal"]:
        account = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        # AWS's guide to replication does not say that S3 tells for whom it acts.
        said = "IfExists" if "s3.amazonaws.com" in json.dumps(statement["Principal"]) else ""
        assert statement["Condition"][f"StringEquals{said}"].items() >= account.items()


# Which services say neither for which resource nor for which account they come, and why that is.
UNBOUND = {
    "CloudTrailDescribes",  # tells of a key what is no secret
    "EventRulesEncrypt",  # EventBridge takes no conditions in a topic's policy, nor in its key's
    "EventRulesPublish",
}
BINDS = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}


def test_no_service_is_anybodys_deputy() -> None:
    """ "The confused deputy problem" in AWS's IAM user guide."""
    by_services = [
        (kind, statement)
        for kind, statement in (case.values for case in ALLOWED)
        if kind in ("key", "resource", "trust") and "Service" in statement["Principal"]
    ]
    unbound = {
        statement["Sid"]
        for _, statement in by_services
        if not BINDS & {key for keys in statement.get("Condition", {}).values() for key in keys}
    }
    assert unbound == UNBOUND
    # For which function, job or bucket they take a role, these do not say.
    storage = {"batchoperations.s3.amazonaws.com", "s3.amazonaws.com"}
    silent = {"glue.amazonaws.com", "lambda.amazonaws.com", *storage}
    for kind, statement in by_services:
        if kind == "trust" and not silent & set(listed(statement["Principal"]["Service"])):
            assert "aws:SourceArn" in {k for keys in statement["Condition"].values() for k in keys}


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_a_role_signs_in_the_code_it_is_for(kind: str, statement: Mapping[str, Any]) -> None:
    """AWS names no job, only that Glue gave the session to one; of a function it names which."""
    if kind != "identity" or "kms:Sign" not in listed(statement["Action"]):
        return
    conditions = {key: plain(v) for c in statement["Condition"].values() for key, v in c.items()}
    function = (
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
        ":function:${Project}-${Stage}-recorder"
    )
    assert conditions in (
        {"lambda:SourceFunctionArn": function},
        {"glue:CredentialIssuingService": '"glue.amazonaws.com"'},
    )


def granted(*actions: str) -> dict[str, list[str]]:
    """What each role may do these actions on; a folder as the template writes it."""
    found: dict[str, list[str]] = {}
    for where, kind, document in documents():
        for statement in statements(document):
            if kind != "identity" or not set(actions) & set(listed(statement["Action"])):
                continue
            stack = where.partition(".")[0]
            found.setdefault(stack, []).extend(map(plain, listed(statement["Resource"])))
    return {stack: sorted(resources) for stack, resources in found.items()}


def test_what_each_role_writes() -> None:
    arn = "arn:${AWS::Partition}:s3:::"
    assert granted("s3:PutObject") == {
        "access": [
            f"{arn}${{Project}}-${{Stage}}-athena-results-${{AWS::AccountId}}/${{Project}}-${{Stage}}/*"
        ],
        "airflow": [
            f"{arn}${{AnalyticsBucket}}/pages/*",
            f"{arn}${{AthenaResultsBucket}}/${{Workgroup}}/*",
        ],
        "audit": [
            f"{arn}${{AnalyticsBucket}}/audit/*",
            f"{arn}${{AnalyticsBucket}}/lineage_checks/*",
            f"{arn}${{AnalyticsBucket}}/reconciliation/*",
            f"{arn}${{AnalyticsBucket}}/record_checks/*",
            f"{arn}${{ProvenanceBucket}}/provenance/runs/*",
            f"{arn}${{ProvenanceBucket}}/seal/*",
        ],
        "jobs": [
            f"{arn}${{AnalyticsBucket}}/gold/*",
            f"{arn}${{ProcessedBucket}}/files/*",
            f"{arn}${{ProcessedBucket}}/quarantine/*",
            f"{arn}${{ProcessedBucket}}/silver/*",
            f"{arn}${{ProvenanceBucket}}/provenance/lineage/*",
        ],
        # The Lambda and the job for large objects; what is late, the Lambda alone notes.
        "recorder": [
            f"{arn}${{Project}}-${{Stage}}-provenance-${{AWS::AccountId}}/provenance/{place}/*"
            for place in ("incoming", "incoming", "late")
        ],
    }


def test_airflow_looks_at_dead_letters_and_neither_takes_nor_sends_any() -> None:
    (looked,) = granted("sqs:ReceiveMessage")["airflow"]
    assert looked.endswith(":${Project}-${Stage}-recorder-dlq")
    assert "airflow" not in granted("sqs:DeleteMessage", "sqs:SendMessage", "sqs:*")


def test_only_sparks_working_files_are_ever_deleted() -> None:
    assert set(granted("s3:DeleteObject")) == {"jobs", "audit"}
    for resource in chain.from_iterable(granted("s3:DeleteObject").values()):
        assert resource.endswith(("/_temporary/*", "/*/"))


@pytest.mark.parametrize(
    ("key", "statement", "role"),
    [("Signing", "RecorderSigns", "recorder(-large)?"), ("Lineage", "GlueJobsSign", "glue")],
)
def test_each_signing_key_signs_for_its_own(key: str, statement: str, role: str) -> None:
    assert granted("kms:Sign") == {
        "recorder": ['{"Ref": "SigningKeyArn"}'] * 2,
        "jobs": ['{"Ref": "LineageKeyArn"}'],
        "audit": ['{"Ref": "SealKeyArn"}'],
    }
    key_policy = LOADED["keys"]["Resources"][key]["Properties"]["KeyPolicy"]
    signing = [s for s in statements(key_policy) if "kms:Sign" in listed(s["Action"])]
    assert [s["Sid"] for s in signing] == [statement]
    who = signing[0]["Condition"]["ArnLike"]["aws:PrincipalArn"]
    one = rf"role/\$\{{Project\}}-\$\{{Stage\}}-{role}$"
    assert all(re.search(one, plain(w)) for w in who)
    assert "kms:CreateGrant" not in json.dumps(key_policy)


def test_large_objects_are_recorded_with_the_rights_of_the_recorder() -> None:
    """How each proves that it signs, taking messages, starting the job and fetching its code apart,
    the two roles may the same."""
    roles = LOADED["recorder"]["Resources"]
    rights = {
        name: {
            s["Sid"]: s
            for s in statements(roles[name]["Properties"]["Policies"][0]["PolicyDocument"])
        }
        for name in ("Role", "LargeObjectRole")
    }
    shared = rights["Role"].keys() & rights["LargeObjectRole"].keys()
    assert [n for n in shared if rights["Role"][n] != rights["LargeObjectRole"][n]] == []
    assert rights["Role"].keys() - shared == {
        "TakeEvents",
        "LeaveLargeObjectsToTheJob",
        "NoteThatARecordIsLate",
        "SignRecordsInTheFunction",
        "WriteItsLog",
    }
    assert rights["LargeObjectRole"].keys() - shared == {
        "ReadCode",
        "SignRecordsInAJob",
        "WriteJobLogs",
    }


# What a script is given by whoever starts it, and no more.
GIVEN = {
    "recorder.LargeObjectJob": {"announcement", "record_id"},
    "jobs.BronzeToSilver": {"dataset", "dt"},
    "jobs.SilverToGold": {"dataset", "dt", "silver_run", "gold_table"},
    "audit.Reconcile": {"window"},
    "audit.Audit": {"audit"},
}


@pytest.mark.parametrize(("stack", "name", "job"), of_type("AWS::Glue::Job"))
def test_who_starts_a_job_chooses_neither_its_code_nor_what_it_trusts(
    stack: str, name: str, job: Mapping[str, Any]
) -> None:
    """Every argument by which Glue takes code from elsewhere, and every other that a script reads.

    "Using job parameters in AWS Glue jobs": what the job fixes wins over what a run is given.
    """
    assert not job.get("DefaultArguments")
    fixed = {key: plain(value) for key, value in job["NonOverridableArguments"].items()}
    script = job["Command"]["ScriptLocation"]
    archive = "${CodeLocation}/custody.zip"
    assert {key: fixed.pop(key) for key in list(fixed) if key in LOADS} == {
        "--scriptLocation": plain(script),
        "--job-language": '"python"',
        "--extra-py-files": archive,
        "--extra-files": archive,
        "--extra-jars": archive,
        "--user-jars-first": '"false"',
        "--additional-python-modules": "${CodeLocation}/modules.gluewheels.zip",
        "--python-modules-installer-option": '"--no-index"',
        "--conf": '"spark.sql.session.timeZone=UTC"',
        "--enable-spark-ui": '"false"',
    }
    assert fixed.pop("--custom-logGroup-prefix") == f"/aws-glue/{plain(job['Name'])}"
    scaled = fixed.pop("--enable-auto-scaling", None)
    assert scaled == (None if job["NumberOfWorkers"] == 2 else '"true"')
    read = arguments_of(script_of(job))
    assert {key.removeprefix("--") for key in fixed} == read - GIVEN[f"{stack}.{name}"]


LOADS = {
    "--scriptLocation",
    "--job-language",
    "--extra-py-files",
    "--extra-files",
    "--extra-jars",
    "--user-jars-first",
    "--additional-python-modules",
    "--python-modules-installer-option",
    "--conf",
    "--enable-spark-ui",
}


def script_of(job: Mapping[str, Any]) -> Path:
    """The source of a job's script, which the build puts into the bundle."""
    name = plain(job["Command"]["ScriptLocation"]).removeprefix("${CodeLocation}/jobs/")
    return REPOSITORY / "include" / "glue_jobs" / name


def arguments_of(script: Path) -> set[str]:
    """The names that a script asks for: the only tuple or list of names in it."""
    named = [
        {item.value for item in node.elts if isinstance(item, ast.Constant)}
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Tuple | ast.List) and node.elts
    ]
    (names,) = [names for names in named if names]
    return names


def test_the_judge_is_told_what_airflow_is_told() -> None:
    """The same settings, from the same values of the root stack: the judge holds Airflow's against
    its own. And it has all that it reads."""
    for job in ("Reconcile", "Audit"):
        fixed = LOADED["audit"]["Resources"][job]["Properties"]["NonOverridableArguments"]
        trusted: dict[str, str] = json.loads(plain(fixed["--settings"]))
        assert trusted == settings()
    read = {name for name, kind in vars(Settings).items() if type(kind).__name__ == "_Setting"}
    assert read <= trusted.keys()
    given = {
        stack: LOADED["root"]["Resources"][stack]["Properties"]["Parameters"]
        for stack in ("Audit", "Settings")
    }
    for name in re.findall(r"\$\{(\w+)\}", "".join(trusted.values())):
        assert given["Audit"][name] == given["Settings"][name]


AUDIT = [
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Project}-${Stage}-audit",
]


def test_only_the_role_that_audits_seals() -> None:
    seal = LOADED["keys"]["Resources"]["Seal"]["Properties"]
    assert (seal["KeySpec"], seal["KeyUsage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    signing = [s for s in statements(seal["KeyPolicy"]) if "kms:Sign" in listed(s["Action"])]
    assert [s["Sid"] for s in signing] == ["AuditSeals"]
    assert [plain(who) for who in signing[0]["Condition"]["ArnLike"]["aws:PrincipalArn"]] == AUDIT
    assert not any("kms:CreateGrant" in listed(s["Action"]) for s in statements(seal["KeyPolicy"]))


# Logs


@pytest.mark.parametrize(("stack", "name", "group"), of_type("AWS::Logs::LogGroup"))
def test_every_log_is_encrypted_and_ends_and_outlives_its_stack(
    stack: str, name: str, group: Mapping[str, Any]
) -> None:
    resource = LOADED[stack]["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert group["RetentionInDays"] == {"Ref": "LogDays"}
    assert group["KmsKeyId"] == {"Ref": "KeyArn" if stack == "mwaa" else "LogKeyArn"}


@pytest.mark.parametrize(("stack", "name", "job"), of_type("AWS::Glue::Job"))
def test_a_job_has_logs_of_its_own_and_its_role_writes_no_others(
    stack: str, name: str, job: Mapping[str, Any]
) -> None:
    """ "Logging for AWS Glue jobs", with a security configuration: how Glue names them."""
    assert job["SecurityConfiguration"] == {"Ref": "SecurityConfiguration"}
    resources = LOADED[stack]["Resources"]
    role = plain(job["Role"]).rpartition("/")[2].strip("${}")
    own = f"/aws-glue/{plain(job['Name'])}"
    names = [
        plain(other["Properties"]["LogGroupName"])
        for other in resources.values()
        if other["Type"] == "AWS::Logs::LogGroup"
    ]
    folder = (
        f"{own}/${{SecurityConfiguration}}-role/{plain(resources[role]['Properties']['RoleName'])}"
    )
    assert [n for n in names if n.startswith(own)] == [f"{folder}/error", f"{folder}/output"]

    policy = resources[role]["Properties"]["Policies"][0]["PolicyDocument"]
    (logs,) = [s for s in statements(policy) if s["Sid"] == "WriteJobLogs"]
    logged = {plain(r).partition(":log-group:")[2] for r in listed(logs["Resource"])}
    jobs = {
        f"/aws-glue/{plain(other['Properties']['Name'])}/*"
        for other in resources.values()
        if other["Type"] == "AWS::Glue::Job" and other["Properties"]["Role"] == job["Role"]
    }
    assert logged == jobs


def test_a_flood_of_uploads_and_other_functions_leave_each_other_alone() -> None:
    resources = LOADED["recorder"]["Resources"]
    reserved = resources["Function"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["Reserves", {"Ref": "Concurrency"}]
    mapping = resources["Subscription"]["Properties"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "Concurrency"}}


# Storage


@pytest.mark.parametrize(("stack", "name", "bucket"), of_type("AWS::S3::Bucket"))
def test_every_bucket_is_encrypted_versioned_private_and_tls_only(
    stack: str, name: str, bucket: Mapping[str, Any]
) -> None:
    resource = LOADED[stack]["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    # The artifacts bucket is older than the keys.
    assert default["SSEAlgorithm"] == ("AES256" if stack == "bootstrap" else "aws:kms")
    assert ("KMSMasterKeyID" in default) == (stack != "bootstrap")

    (policy,) = [
        other["Properties"]["PolicyDocument"]
        for other in LOADED[stack]["Resources"].values()
        if other["Type"] == "AWS::S3::BucketPolicy"
        and other["Properties"]["Bucket"] == {"Ref": name}
    ]
    (tls,) = [s for s in statements(policy) if s["Sid"] == "DenyPlainTransport"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [r for r in map(json.dumps, tls["Resource"]) if f"${{{name}" not in r] == []
    assert len(tls["Resource"]) == 2


def resource(name: str) -> Any:
    """A resource of the evidence, whatever its template; its name is there only once."""
    (found,) = [
        resource
        for stack, called, resource in RESOURCES
        if called == name and stack in ("storage", "witnesses")
    ]
    return found


@pytest.mark.parametrize("name", ["Provenance", "Trail"])
def test_evidence_is_locked(name: str) -> None:
    bucket = resource(name)["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": {"Ref": "LockMode"},
        "Days": {"Ref": "LockDays"},
    }


def test_bronze_is_locked_but_stays_erasable() -> None:
    lock = resource("Raw")["Properties"]["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": {"Ref": "LockDays"}}


@pytest.mark.parametrize("name", ["Raw", "Provenance", "Trail"])
def test_evidence_never_expires(name: str) -> None:
    bucket = resource(name)["Properties"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert [rule.keys() for rule in rules] == [{"Id", "Status", "AbortIncompleteMultipartUpload"}]


@pytest.mark.parametrize("name", ["Raw", "Processed", "Analytics"])
def test_every_byte_of_every_layer_is_recorded(name: str) -> None:
    bucket = resource(name)["Properties"]
    assert bucket["NotificationConfiguration"] == {
        "QueueConfigurations": [
            {"Event": "s3:ObjectCreated:*", "Queue": {"Ref": "RecorderQueueArn"}}
        ]
    }


def test_records_are_write_once() -> None:
    rule = provenance_rule("DenyOverwritingRecords")
    assert rule["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    places = [plain(place).partition("/provenance/")[2] for place in rule["Resource"]]
    assert places == ["incoming/*", "late/*", "lineage/*", "runs/*"]


def provenance_rule(sid: str) -> Mapping[str, Any]:
    policy = resource("ProvenancePolicy")["Properties"]["PolicyDocument"]
    (rule,) = [s for s in statements(policy) if s["Sid"] == sid]
    return rule


def test_only_the_role_that_audits_writes_the_seal_and_what_its_runs_state() -> None:
    rule = provenance_rule("DenySealsByOthers")
    assert (rule["Effect"], rule["Principal"]) == ("Deny", "*")
    assert rule["Action"] == "s3:PutObject"
    places = [plain(place).partition("${Provenance}/")[2] for place in rule["Resource"]]
    assert places == [f"{SEAL_PREFIX}*", f"{RUN_PREFIX}*"]
    assert [plain(w) for w in rule["Condition"]["ArnNotLike"]["aws:PrincipalArn"]] == AUDIT


def test_no_file_of_the_seal_is_written_twice_but_its_checkpoint() -> None:
    rule = provenance_rule("DenyOverwritingSeals")
    assert rule["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    folders = {plain(place).partition(f"/{SEAL_PREFIX}")[2] for place in rule["Resource"]}
    written = (append_path(0), day_folder(date(2026, 11, 1)), tile_path(0, 0), bundle_path(0))
    assert folders == {f"{path.partition('/')[0]}/*" for path in written}
    replaced = provenance_rule("DenyReplacingCheckpointsUnseen")
    assert plain(replaced["Resource"]).endswith(f"/{SEAL_PREFIX}{CHECKPOINT_PATH}")
    # Both at once: one of the two conditions is enough to be let through.
    assert replaced["Condition"] == {"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}}


EVIDENCE = ("Raw", "Provenance", "Processed", "Analytics", "Trail")
BUCKETS = (*EVIDENCE, "AthenaResults")
COPIED = ("Raw", "Provenance", "Trail")
READS_AND_WRITES = {
    "s3:AbortMultipartUpload",
    "s3:GetObject*",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
}


def policy_of(bucket: str) -> dict[str, Mapping[str, Any]]:
    """The statements of a bucket's policy by name."""
    document = resource(f"{bucket}Policy")["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in statements(document)}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_takes_no_other_encryption_than_its_own(bucket: str) -> None:
    (rule,) = resource(bucket)["Properties"]["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert rule["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}
    policy = policy_of(bucket)
    assert policy["DenyKeysOfCallers"]["Condition"] == {
        "Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}
    }
    if bucket == "Trail":  # CloudTrail alone writes there, and chooses
        return
    key = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert policy["DenyOtherKeys"]["Condition"] == {
        "Null": {"s3:x-amz-server-side-encryption": "false"},
        "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key},
    }


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_says_of_what_class_its_data_is(bucket: str) -> None:
    rows = {"Raw", "Processed", "AthenaResults"}
    value = f"{'Personal' if bucket in rows else 'Internal'}DataClass"
    assert resource(bucket)["Properties"]["Tags"] == [
        {"Key": "data-class", "Value": {"Ref": value}}
    ]


@pytest.mark.parametrize("bucket", EVIDENCE)
def test_what_a_bucket_of_evidence_holds_is_read_and_written_and_nothing_else(bucket: str) -> None:
    rule = policy_of(bucket)["DenyAllButReadsAndWrites"]
    assert (rule["Effect"], rule["Principal"]) == ("Deny", "*")
    assert plain(rule["Resource"]) == f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}/*"
    spark = {"s3:DeleteObject"} if bucket in ("Processed", "Analytics") else set()
    acl = {"s3:PutObjectAcl"} if bucket == "Trail" else set()
    anew = {"s3:InitiateReplication"} if bucket in COPIED else set()
    assert set(rule["NotAction"]) == READS_AND_WRITES | spark | acl | anew
    if spark:
        kept = policy_of(bucket)["DenyDeletesOfWhatIsHeld"]
        assert (kept["Effect"], kept["Action"]) == ("Deny", "s3:DeleteObject")
        assert [plain(place).partition("}/")[2] for place in kept["NotResource"]] == [
            "*/_temporary/*",
            "*/",
        ]


@pytest.mark.parametrize("bucket", COPIED)
def test_what_was_there_before_the_copy_is_copied_by_a_batch_job_alone(bucket: str) -> None:
    """ "Configuring an IAM role for S3 Batch Replication", with a manifest of one's own."""
    (held,) = [
        s
        for s in policy_of(bucket).values()
        if s["Effect"] == "Deny" and s.get("Action") == "s3:InitiateReplication"
    ]
    assert plain(held["Resource"]) == f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}/*"
    who = held["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    role = LOADED["replication"]["Resources"]["BatchRole"]["Properties"]
    assert plain(who).endswith(f":role/{plain(role['RoleName'])}")
    replicating, reading = statements(role["Policies"][0]["PolicyDocument"])
    assert replicating["Action"] == "s3:InitiateReplication"
    names = [plain(resource(each)["Properties"]["BucketName"]) for each in COPIED]
    assert [plain(each) for each in replicating["Resource"]] == [
        f"arn:${{AWS::Partition}}:s3:::{name}/*" for name in names
    ]
    # The guide's copies of it go where only who deploys writes.
    assert plain(reading["Resource"]).endswith("-artifacts-${AWS::AccountId}/manifests/*")


@pytest.mark.parametrize("bucket", BUCKETS)
def test_only_who_deploys_changes_how_a_bucket_is_set_up(bucket: str) -> None:
    rule = policy_of(bucket)["DenySettingUpByOthers"]
    assert (rule["Effect"], rule["Principal"]) == ("Deny", "*")
    assert set(rule["NotAction"]) == {"s3:Get*", "s3:List*"}
    assert plain(rule["Resource"]) == f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}"
    assert rule["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": {"Ref": "DeployerArns"}}}


KEPT = ("AWS::CloudTrail::Trail", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::S3::BucketPolicy")


def test_deleting_a_stack_neither_deletes_evidence_nor_unprotects_it() -> None:
    lost = [
        f"{stack}.{name}"
        for stack, name, resource in RESOURCES
        if resource["Type"] in KEPT
        and (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        != ("RetainExceptOnCreate", "Retain")
    ]
    assert lost == []


def test_the_platforms_own_stack_holds_no_evidence() -> None:
    """So that nothing that goes wrong with it takes evidence along."""
    nested = {
        root: {
            resource["Properties"]["TemplateURL"].removesuffix(".yaml")
            for resource in LOADED[root]["Resources"].values()
            if resource["Type"] == "AWS::CloudFormation::Stack"
        }
        for root in ROOTS
    }
    assert nested["evidence"] == {
        *("keys", "queue", "replication", "witnesses", "storage", "trail"),
    }
    assert not nested["evidence"] & nested["root"]


def test_airflows_settings_are_deployed_before_the_judge_that_compares_them() -> None:
    assert LOADED["root"]["Resources"]["Audit"]["DependsOn"] == "Settings"


def test_the_trail_comes_last_for_from_then_on_the_bucket_is_never_empty_again() -> None:
    resources = LOADED["evidence"]["Resources"]
    reached, pending = set[str](), ["Trail"]
    while pending:
        stack = resources[pending.pop()]
        text = json.dumps(stack)
        for name in resources.keys() - reached:
            if stack.get("DependsOn") == name or f'"{name}.Outputs' in text or f'"{name}",' in text:
                reached.add(name)
                pending.append(name)
    assert reached == resources.keys() - {"Trail"}


@pytest.mark.parametrize(("stack", "name", "key"), of_type("AWS::KMS::Key"))
def test_named_administrators_administer_every_key_and_nobody_else(
    stack: str, name: str, key: Mapping[str, Any]
) -> None:
    changing = [
        s for s in statements(key["KeyPolicy"]) if "kms:PutKeyPolicy" in listed(s["Action"])
    ]
    (administer,) = changing
    condition, named, otherwise = administer["Condition"]["Fn::If"]
    assert (condition, otherwise) == ("NamedAdministrators", {"Ref": "AWS::NoValue"})
    assert set(named) == {"ArnLike"}
    assert "KeyAdministratorArns" in json.dumps(named)


def test_passwords_of_glue_connections_are_left_to_those_who_have_some() -> None:
    """Whoever makes a connection would need a right on the key, in whatever team of the account."""
    settings = LOADED["catalogencryption"]["Resources"]["Settings"]["Properties"]
    assert settings["DataCatalogEncryptionSettings"].keys() == {"EncryptionAtRest"}


# What else the parts of the project agree on


def test_the_dags_find_every_setting_they_use() -> None:
    written = settings()
    used = set[str]()
    for folder, pattern in (("dags", "*.py"), ("plugins", "*.py"), ("include/sql", "*")):
        for path in (REPOSITORY / folder).rglob(pattern):
            if path.is_file() and "__pycache__" not in path.parts:
                used.update(
                    name
                    for pair in re.findall(
                        r'\bsetting\("(\w+)"\)|var\.json\.custody\.(\w+)', path.read_text()
                    )
                    for name in pair
                    if name
                )
    assert used
    assert used <= written.keys()


def settings() -> dict[str, str]:
    """The SSM parameter's value, each placeholder left in place."""
    properties = LOADED["settings"]["Resources"]["AirflowVariable"]["Properties"]
    value: dict[str, str] = json.loads(properties["Value"]["Fn::Sub"])
    return value


def test_the_settings_are_these() -> None:
    assert set(settings()) == {
        "account_id",
        "airflow_trusted_arns",
        "analytics_bucket",
        "artifacts_bucket",
        "audit_job",
        "athena_results_bucket",
        "bronze_to_silver_job",
        "code_location",
        "cosigning_policy",
        "database",
        "deployer_arns",
        "digest_seconds",
        "encryption_key_arns",
        "former_signing_keys",
        "former_uploaders",
        "lineage_key_arn",
        "noncurrent_version_days",
        "organization_id",
        "partition",
        "processed_bucket",
        "project",
        "provenance_bucket",
        "raw_bucket",
        "reconcile_job",
        "region",
        "seal_key_arn",
        "signing_key_arn",
        "silver_to_gold_job",
        "stage",
        "topic_arn",
        "trail_account_id",
        "trail_bucket",
        "trail_name",
        "uploader_arns",
        "workgroup",
    }


def test_glue_installs_the_versions_the_jobs_are_tested_with() -> None:
    folder = REPOSITORY / "include" / "glue_jobs"
    brought, tested = (
        set(re.findall(r"^([\w-]+==[\w.]+)", (folder / name).read_text(), re.MULTILINE))
        for name in ("modules.txt", "requirements.txt")
    )
    assert brought
    assert brought <= tested


@pytest.mark.parametrize(("stack", "name", "job"), of_type("AWS::Glue::Job"))
def test_a_jobs_script_exists(stack: str, name: str, job: Mapping[str, Any]) -> None:
    assert script_of(job).is_file()


@pytest.mark.parametrize(("stack", "name", "function"), of_type("AWS::Lambda::Function"))
def test_a_functions_handler_exists(stack: str, name: str, function: Mapping[str, Any]) -> None:
    *module, handler = function["Handler"].split(".")
    source = Path(REPOSITORY, "lambda", module[0], *module).with_suffix(".py")
    assert f"\ndef {handler}(" in source.read_text()
    set_ = function["Environment"]["Variables"].keys()
    read = set(re.findall(r'env\["([A-Z_]+)"\]', source.read_text()))
    assert set_ == read


@pytest.mark.parametrize(("stack", "name", "policy"), of_type("AWS::SQS::QueuePolicy"))
def test_every_queue_wants_tls_and_knows_its_senders(
    stack: str, name: str, policy: Mapping[str, Any]
) -> None:
    denied = {s["Sid"]: s for s in statements(policy["PolicyDocument"]) if s["Effect"] == "Deny"}
    tls = denied.pop("DenyPlainTransport")
    assert (tls["Principal"], tls["Action"]) == ("*", "sqs:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (senders,) = denied.values()
    assert (senders["Principal"], senders["Action"]) == ("*", "sqs:SendMessage")
    if name == "QueuePolicy":
        # Both at once: what S3 sends for our buckets passes, and what who deploys sends.
        assert senders["Condition"] == {
            "ArnNotLike": {
                "aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Project}-${Stage}-*"},
                "aws:PrincipalArn": {"Ref": "DeployerArns"},
            }
        }
    else:
        assert "Condition" not in senders


@pytest.mark.parametrize(
    ("stack", "name", "queue"),
    [case for case in of_type("AWS::SQS::Queue") if "dlq" not in str(case.values[2]["QueueName"])],
)
def test_a_message_that_keeps_failing_is_kept(
    stack: str, name: str, queue: Mapping[str, Any]
) -> None:
    assert "-dlq" in plain(queue["RedrivePolicy"]["deadLetterTargetArn"])
    mappings = [r["Properties"] for _, _, r in RESOURCES if r["Type"].endswith("SourceMapping")]
    assert [m["FunctionResponseTypes"] for m in mappings] == [["ReportBatchItemFailures"]]


@pytest.mark.parametrize(("stack", "name", "role"), of_type("AWS::IAM::Role"))
def test_a_session_of_a_role_lasts_no_longer_than_who_took_it_is_looked_for(
    stack: str, name: str, role: Mapping[str, Any]
) -> None:
    assert "MaxSessionDuration" not in role, "IAM's default is an hour"


def test_the_trail_sees_who_takes_roles_and_changes_settings() -> None:
    """Every write, those of KMS too; of reads, among which is taking a role, all but KMS's."""
    selectors = LOADED["trail"]["Resources"]["Trail"]["Properties"]["AdvancedEventSelectors"]
    management = {"Field": "eventCategory", "Equals": ["Management"]}
    writes, reads = (
        [field for field in selector["FieldSelectors"] if field != management]
        for selector in selectors
        if management in selector.get("FieldSelectors", [])
    )
    assert writes == [{"Field": "readOnly", "Equals": ["false"]}]
    assert reads == [
        {"Field": "readOnly", "Equals": ["true"]},
        {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
    ]


def test_an_organizations_trail_is_a_switch() -> None:
    trail = LOADED["trail"]["Resources"]["Trail"]["Properties"]
    switch = ["LogsOrganization", True, {"Ref": "AWS::NoValue"}]
    assert trail["IsOrganizationTrail"] == {"Fn::If": switch}
    policy = LOADED["witnesses"]["Resources"]["TrailPolicy"]["Properties"]["PolicyDocument"]
    (organization,) = [s["Fn::If"] for s in policy["Statement"] if "Fn::If" in s]
    condition, delivers, _ = organization
    assert condition == "LogsOrganization"
    assert plain(delivers["Resource"]).endswith("${Trail}/AWSLogs/${OrganizationId}/*")
    (own,) = [s for s in policy["Statement"] if s.get("Sid") == "CloudTrailDelivers"]
    assert delivers["Condition"]["StringEquals"] == {
        **own["Condition"]["StringEquals"],
        "aws:SourceOrgID": {"Ref": "OrganizationId"},
    }


def test_deleting_the_stack_does_not_end_the_trail() -> None:
    trail = LOADED["trail"]["Resources"]["Trail"]
    assert trail["DeletionPolicy"] == "RetainExceptOnCreate"
    assert trail["UpdateReplacePolicy"] == "Retain"


def test_the_trail_sees_every_bucket_and_signs_its_digests() -> None:
    trail = LOADED["trail"]["Resources"]["Trail"]["Properties"]
    assert (trail["EnableLogFileValidation"], trail["IsLogging"]) == (True, True)
    writes = trail["AdvancedEventSelectors"][0]["FieldSelectors"]
    arn = next(field for field in writes if field["Field"] == "resources.ARN")
    assert arn["StartsWith"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${Project}-${Stage}-"}]
    for stack, _, resource in RESOURCES:
        if resource["Type"] == "AWS::S3::Bucket":
            name = plain(resource["Properties"]["BucketName"])
            assert name.startswith("${Project}-${Stage}-"), stack
