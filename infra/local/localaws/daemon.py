"""The server process, `python -m localaws.daemon`; `localaws.server.lifecycle` starts it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import cast

import ministack.app
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from localaws import regions
from localaws.access import conditions, functions, grants, metrics, secondfactor, servicekeys
from localaws.access.accounts import Accounts
from localaws.access.encryption import ask_for_keys
from localaws.airflow import Airflow
from localaws.athena.service import Athena
from localaws.cloudformation import changesets, joins, provisioners, rights, stackrecords
from localaws.cloudtrail import CloudTrail, CloudTrailSettings
from localaws.cosigner.service import Cosigner, CosignerService
from localaws.durability.middleware import Durability
from localaws.glue import GlueJobRuns, SparkHome
from localaws.glue.catalog import GlueCatalog
from localaws.s3 import listings, rekeying
from localaws.s3.expiration import Lifecycle
from localaws.server.application import LocalAws
from localaws.server.control import Control
from localaws.server.lifecycle import START_SECONDS, STOP_SECONDS, hold
from localaws.server.wire import App
from localaws.settings import Settings


def compose(settings: Settings) -> App:
    """The whole local AWS, innermost first."""
    conditions.register()
    grants.register(settings.logs)
    regions.register(settings)
    servicekeys.register()
    secondfactor.register()
    provisioners.register()
    rights.register()
    changesets.register()
    joins.register()
    listings.register()
    rekeying.register()
    functions.register()
    metrics.register()
    cloudtrail = CloudTrail(settings, CloudTrailSettings.from_env(os.environ))
    durability = Durability(settings, cloudtrail.recover_write)
    served = ask_for_keys(ministack.app.app, settings.account_id, settings.region)
    chain = durability.wrap(cloudtrail.observe(served))
    # CloudTrail's own files are as durable as anybody's.
    cloudtrail.deliver_through(chain)
    records = stackrecords.StackRecords(settings.account_id, settings.region)
    catalog = GlueCatalog(lambda: durability.commit("glue"))
    glue = GlueJobRuns(settings, SparkHome.from_env(os.environ))
    accounts = Accounts(settings, lambda: durability.commit("iam"))
    lifecycle = Lifecycle(settings)
    cosigner = CosignerService(Cosigner(settings.state / "cosigner" / "cosigner.json"))
    airflow = Airflow(settings.state / "airflow" / "environments.json")
    airflow.register()
    services = (
        *(cloudtrail, records, catalog, glue, Athena(settings), lifecycle, accounts, cosigner),
        airflow,
    )
    return cloudtrail.observe_api(
        LocalAws(chain, durability, services, Control(settings, services))
    )


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    config = Config()
    config.bind = [f"{settings.listen}:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 5
    config.shutdown_timeout = STOP_SECONDS - 2 * config.graceful_timeout
    config.startup_timeout = START_SECONDS

    async def until_stopped() -> None:
        await stopping.wait()

    # hypercorn has a type of its own for each kind of scope, ASGI's specification one for all.
    application = cast("ASGIFramework", compose(settings))
    await serve(application, config, shutdown_trigger=until_stopped)


def main() -> None:
    """Serve until SIGTERM; holds the home's lock for as long as it lives."""
    settings = Settings.from_env(os.environ)
    with hold(settings):
        asyncio.run(_run(settings))


if __name__ == "__main__":
    main()
