"""Wait for the files of a day, as long as its contract says, and say so."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, NoReturn

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk.exceptions import AirflowSensorTimeout

from custody.core.formats.timestamps import format_utc
from custody.core.ledger.hours.windows import after_beginning

log = logging.getLogger(__name__)


class LandingSensor(S3KeySensor):
    """Waits until something has landed under `folder` of `day`, at most until `landing_hours` after
    the day began.

    A run that was made for its day by the schedule or a backfill waits until the day is over before
    it looks. Raises AirflowSensorTimeout, which fails the task for good, if nothing landed in time.
    """

    template_fields = (*S3KeySensor.template_fields, "folder", "day")

    def __init__(self, *, folder: str, day: str, landing_hours: int, **kwargs: Any) -> None:
        super().__init__(
            bucket_key=f"{folder}?*",  # one character more than the folder marker
            wildcard_match=True,
            deferrable=True,
            timeout=(landing_hours - 24) * 60 * 60,  # of a run that begins when its day is over
            **kwargs,
        )
        self.folder = folder
        self.day = day
        self.landing_hours = landing_hours

    def execute(self, context: Any) -> None:
        over = after_beginning(self.day, 24)
        if context["dag_run"].partition_key and datetime.now(UTC) < over:
            log.info("%s is not over: files are looked for at %s", self.day, format_utc(over))
            self.defer(trigger=DateTimeTrigger(over), method_name=self.look.__name__)
        self.look(context)

    def look(self, context: Any, event: Any = None) -> None:  # noqa: ARG002 - a trigger gives it
        """Look for files, now and until it is too late."""
        if self.poke(context):
            return
        left = (self._until - datetime.now(UTC)).total_seconds()
        if left <= 0:
            self._give_up()
        log.info(
            "waiting for files under %s until %s (the contract's freshness: %d hours after the day "
            "began). If none lands by then, this run fails, and readers see of %s what was "
            "published last",
            self._place,
            format_utc(self._until),
            self.landing_hours,
            self.day,
        )
        self.timeout = left
        self._defer()

    def resume_execution(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().resume_execution(*args, **kwargs)
        except AirflowSensorTimeout:
            self._give_up()

    def _give_up(self) -> NoReturn:
        raise AirflowSensorTimeout(
            f"nothing had landed under {self._place} by {format_utc(self._until)}, so nothing is "
            f"built of {self.day}. When its files are there, run the day again"
        )

    @property
    def _place(self) -> str:
        return f"s3://{self.bucket_name}/{self.folder}"

    @property
    def _until(self) -> datetime:
        return after_beginning(self.day, self.landing_hours)
