"""Rows of a result, page by page."""

import boto3
import pytest
from tests.support.moto_aws import REGION, answer

from custody.aws.athena import rows


def page(*lines, token=None):
    data = [{"Data": [{} if v is None else {"VarCharValue": v} for v in line]} for line in lines]
    return {"ResultSet": {"Rows": data}} | ({"NextToken": token} if token else {})


@pytest.fixture
def athena_with():
    def client(*pages):
        answers = iter(pages)
        athena = boto3.client(
            "athena", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
        )
        athena.meta.events.register(
            "before-call.athena.GetQueryResults", lambda **_: answer(next(answers))
        )
        return athena

    return client


def test_only_the_first_line_of_the_first_page_names_the_columns(athena_with):
    athena = athena_with(
        page(["key", "arn"], ["a", None], token="t"), page(["key", "arn"], ["", "b"])
    )
    assert list(rows(athena, "q")) == [
        {"key": "a", "arn": None},
        {"key": "key", "arn": "arn"},
        {"key": "", "arn": "b"},
    ]


def test_no_rows(athena_with):
    assert list(rows(athena_with(page(["key"])), "q")) == []
