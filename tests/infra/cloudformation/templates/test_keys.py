"""Each key signs for its own, and is administered by who is named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from tests.infra.cloudformation.templates.loaded import (
    LOADED,
    granted,
    listed,
    of_type,
    plain,
    statements,
)


@pytest.mark.parametrize(
    ("key", "statement", "role"),
    [
        ("Signing", "RecorderSigns", "recorder(-large)?"),
        ("Lineage", "GlueJobsSign", "glue"),
        ("Answers", "PeopleAnswer", "(airflow|on-call)"),
    ],
)
def test_each_signing_key_signs_for_its_own(key: str, statement: str, role: str) -> None:
    assert granted("kms:Sign") == {
        "recorder": ['{"Ref": "SigningKeyArn"}'] * 2,
        "jobs": ['{"Ref": "LineageKeyArn"}'],
        "audit": ['{"Ref": "SealKeyArn"}'],
        "airflow": ['{"Ref": "AnswerKeyArn"}'],
        # A stack of its own, which knows no key: the keys' policies say that it is this one.
        "access": ["arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"],
    }
    key_policy = LOADED["keys"]["Resources"][key]["Properties"]["KeyPolicy"]
    signing = [s for s in statements(key_policy) if "kms:Sign" in listed(s["Action"])]
    assert [s["Sid"] for s in signing] == [statement]
    who = signing[0]["Condition"]["ArnLike"]["aws:PrincipalArn"]
    one = rf"role/\$\{{Project\}}-\$\{{Stage\}}-{role}$"
    assert all(re.search(one, plain(w)) for w in who)
    assert "kms:CreateGrant" not in json.dumps(key_policy)


def test_tokens_are_made_in_jobs_alone() -> None:
    """Whoever has a value and this right can see whose rows are whose."""
    tokens = LOADED["keys"]["Resources"]["Tokens"]["Properties"]
    assert (tokens["KeySpec"], tokens["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")
    making = [s for s in statements(tokens["KeyPolicy"]) if "Mac" in json.dumps(s["Action"])]
    assert [(s["Sid"], s["Action"]) for s in making] == [("GlueJobsMakeTokens", "kms:GenerateMac")]
    (who,) = making[0]["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert plain(who).endswith("role/${Project}-${Stage}-glue")
    assert granted("kms:GenerateMac") == {"jobs": ['{"Ref": "TokenKeyArn"}']}


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
