"""The same DAG file finds its SQL where MWAA puts it and where the repository has it."""

from custody.tasks.defaults import include_root, setting, sql_root


def test_include_beside_the_dags_wins(tmp_path):
    (tmp_path / "dags" / "include").mkdir(parents=True)
    (tmp_path / "include").mkdir()
    assert include_root(str(tmp_path / "dags" / "d.py")) == tmp_path / "dags" / "include"


def test_otherwise_it_is_beside_the_dags_folder(tmp_path):
    (tmp_path / "dags").mkdir()
    assert include_root(str(tmp_path / "dags" / "d.py")) == tmp_path / "include"
    assert sql_root(str(tmp_path / "dags" / "d.py")) == str(tmp_path / "include" / "sql")


def test_a_setting_is_a_template():
    assert setting("raw_bucket") == "{{ var.json.custody.raw_bucket }}"
