"""Who may see the console under the FAB auth manager, which MWAA forces."""

from __future__ import annotations

import pytest
from airflow import settings
from tests.support.airflow_users import (
    FAB,
    SHOWN,
    answers,
    auth_manager,
    load_plugin,
    may_answer,
    mounted,
)


@pytest.mark.filterwarnings("ignore")  # Flask-AppBuilder's own
def test_a_viewer_sees_it_and_the_public_does_not() -> None:
    app = mounted(load_plugin())
    with auth_manager(FAB) as manager:
        from airflow.providers.fab.auth_manager.models import Model  # noqa: PLC0415
        from airflow.providers.fab.www.app import create_app  # noqa: PLC0415

        Model.metadata.create_all(settings.engine)
        flask = create_app(enable_plugins=False)
        assert answers(app, None) == {401}
        with flask.app_context():
            security = flask.appbuilder.sm
            security.sync_roles()
            for name in ("Public", "Viewer", "User", "Op", "Admin"):
                role = security.find_role(name)
                user = security.add_user(name, name, name, f"{name}@x", role, "p")
                token = manager.generate_jwt(user)
                found = answers(app, token)
                assert found == {403} if name == "Public" else found <= SHOWN, name
                assert may_answer(app, token) is (name in ("User", "Op", "Admin")), name
