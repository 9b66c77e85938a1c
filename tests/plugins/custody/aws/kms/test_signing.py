import pytest
from tests.support.moto_aws import KEY_ARN, signing_kms

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.kms.signing import is_key_arn, sign_statement
from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope
from custody.core.formats.signatures import verify


def test_what_kms_signs_verifies_with_the_key_kms_publishes():
    kms = signing_kms()
    statement = (
        b'{"large": "' + b"x" * 10_000 + b'"}'
    )  # KMS takes 4,096 bytes, a digest always fits
    envelope = sign_statement(kms, KEY_ARN, statement)
    keys = fetch_public_keys(kms, [KEY_ARN])
    assert verify(Envelope.parse(envelope.to_json_line()), keys) == statement


def test_the_envelope_names_its_type_and_key():
    envelope = sign_statement(signing_kms(), KEY_ARN, b"{}")
    assert envelope.payload_type == PAYLOAD_TYPE
    assert [signature.keyid for signature in envelope.signatures] == [KEY_ARN]


@pytest.mark.parametrize(
    ("text", "is_arn"),
    [
        (KEY_ARN, True),
        ("arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd", True),
        ("arn:aws:kms:us-east-1:111122223333:alias/custody-dev-signing", False),
        ("alias/custody-dev-signing", False),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", False),
        (KEY_ARN + "\n", False),
        ("", False),
    ],
)
def test_only_the_arn_of_a_key_names_one_key_for_good(text, is_arn):
    assert is_key_arn(text) is is_arn
