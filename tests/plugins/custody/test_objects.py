from custody.objects import ObjectVersion


def test_a_version_is_shown_with_its_place_and_its_id():
    version = ObjectVersion("raw", "incoming/a b.csv", "v1")
    assert str(version) == "s3://raw/incoming/a b.csv (version v1)"


def test_versions_are_told_apart_and_put_in_order():
    first, second = ObjectVersion("raw", "a", "v1"), ObjectVersion("raw", "a", "v2")
    assert len({first, second, ObjectVersion("raw", "a", "v1")}) == 2
    assert sorted([second, first]) == [first, second]
