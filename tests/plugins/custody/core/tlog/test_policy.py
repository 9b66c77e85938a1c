"""Policy files, as https://c2sp.org/tlog-policy has them."""

import itertools
from dataclasses import replace

import pytest
from tests.support.cosigners import ANNE, BOB, CARL, TestCosigner, policy_text
from tests.support.transparency import KEY, OTHER_SIGNER

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.policy import CosigningPolicy

A, B, C = (each.key.vkey for each in (ANNE, BOB, CARL))
OTHER_NAME = replace(ANNE.key, name="anne.example/again").vkey


def test_the_example_of_the_specification():
    people = {name: TestCosigner(name) for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
    lines = [f"witness {name} {person.key.vkey}" for name, person in people.items()]
    policy = CosigningPolicy.parse(
        "\n".join(
            [
                f"log {KEY.vkey}",
                "",
                *lines[:3],
                "group X-witnesses 2 X1 X2 X3",
                *lines[3:],
                "group Y-witnesses any Y1 Y2 Y3",
                "group X-and-Y all X-witnesses Y-witnesses",
                "quorum X-and-Y",
            ]
        )
    )
    assert policy.logs == (KEY,)
    assert policy.asks_for == "2 of (2 of (X1, X2, X3), 1 of (Y1, Y2, Y3))"
    for size in range(7):
        for names in itertools.combinations(people, size):
            of_x, of_y = (sum(name.startswith(letter) for name in names) for letter in "XY")
            assert policy.is_met_by(names) == (of_x >= 2 and of_y >= 1), names


def test_one_cosigner_can_be_the_quorum():
    policy = CosigningPolicy.parse(f"witness anne {A} https://anne.example/w\nquorum anne")
    assert policy.cosigners["anne"].key == ANNE.key
    assert policy.cosigners["anne"].url == "https://anne.example/w"
    assert policy.is_met_by({"anne", "stranger"})
    assert not policy.is_met_by({"stranger"})
    assert policy.asks_for == "anne"


def test_a_policy_may_ask_for_nobody():
    policy = CosigningPolicy.parse("quorum none\n")
    assert (policy.is_met_by(()), policy.asks_for) == (True, "nobody")


def test_white_space_comments_and_other_scripts():
    policy = CosigningPolicy.parse(
        f"# who looks on\n\t witness \t Ännchen {A}\t\n  # and\n\nquorum   Ännchen \n"
    )
    assert policy.is_met_by({"Ännchen"})
    raw = b"witness \xff " + B.encode() + b"\nquorum \xff\n"
    assert CosigningPolicy.parse(raw.decode("utf-8", "surrogateescape")).is_met_by({"\udcff"})


@pytest.mark.parametrize(("word", "needed"), [("any", 1), ("all", 3), ("2", 2)])
def test_thresholds(word, needed):
    policy = CosigningPolicy.parse(policy_text(word))
    assert [policy.is_met_by(("anne", "bob", "carl")[:n]) for n in range(4)] == [
        n >= needed for n in range(4)
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no line `quorum"),
        (f"witness a {A}\n", "no line `quorum"),
        ("quorum none\nquorum none\n", "line 2: there is a quorum already"),
        ("quorum a\n", "line 1: no line before defines 'a'"),
        (f"quorum a\nwitness a {A}\n", "line 1: no line before"),
        (f"witness none {A}\nquorum none\n", "'none' is defined already"),
        (f"witness a {A}\nwitness a {B}\nquorum a\n", "line 2: 'a' is defined already"),
        (f"witness a {A}\nwitness b {A}\nquorum a\n", "'b' stands there twice"),
        (f"witness a {A}\nwitness b {OTHER_NAME}\nquorum a\n", "'b' stands there twice"),
        (f"witness a {A}\ngroup a any a\nquorum a\n", "'a' is defined already"),
        (f"witness a {A}\ngroup g any a a\nquorum g\n", "'a' is a member twice"),
        (f"witness a {A}\ngroup g any a\ngroup h any a\nquorum g\n", "'a' is a member twice"),
        (f"witness a {A}\ngroup g any g\nquorum g\n", "no line before defines 'g'"),
        (f"witness a {A}\ngroup g any none\nquorum g\n", "no line before defines 'none'"),
        (f"witness a {A}\ngroup g any\nquorum g\n", "is no line of one"),
        (f"witness a {A}\ngroup g 0 a\nquorum g\n", "'0' is not any, all, or 1 to 1"),
        (f"witness a {A}\ngroup g 2 a\nquorum g\n", "'2' is not any"),
        (f"witness a {A}\ngroup g 01 a\nquorum g\n", "'01' is not any"),
        (f"witness a {A}\ngroup g -1 a\nquorum g\n", "'-1' is not any"),
        (f"witness a {A}\ngroup g \u0661 a\nquorum g\n", "is not any"),
        (f"witness a {KEY.vkey}\nquorum a\n", "not of type 4"),
        (f"log {A}\nquorum none\n", "not of type 1"),
        (f"log {KEY.vkey}\nlog {KEY.vkey}\nquorum none\n", "stands there twice"),
        (f"witness a {A.replace('anne', 'anna')}\nquorum a\n", "line 1: vkey: key id"),
        (f"witness a {A[:-4]}\nquorum a\n", "has 32 bytes, not 29"),
        ("witness a\nquorum none\n", "is no line of one"),
        ("quorum none more\n", "is no line of one"),
        ("Quorum none\n", "is no line of one"),
        ("quorum none\r\n", "control character"),
        ("quorum none\n\0", "control character"),
        ("quorum\u00a0none\n", "is no line of one"),
        ("#" * 300_000 + "\nquorum none\n", "longer than"),
    ],
)
def test_what_is_no_policy(text, problem):
    with pytest.raises(MalformedInput, match=problem):
        CosigningPolicy.parse(text)


def test_there_may_be_many_but_not_any_number():
    def of(count: int) -> str:
        return policy_text("all", [TestCosigner(f"c{n}") for n in range(count)])

    assert CosigningPolicy.parse(of(64)).is_met_by({f"c{n}" for n in range(64)})
    with pytest.raises(MalformedInput, match="more than the 128 names"):
        CosigningPolicy.parse(of(129))


def test_several_logs_may_be_listed():
    text = f"log {KEY.vkey} https://log.example\nlog {OTHER_SIGNER.key.vkey}\nquorum none\n"
    assert CosigningPolicy.parse(text).logs == (KEY, OTHER_SIGNER.key)
