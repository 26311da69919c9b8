"""The bell of the jobs, carried by Celery: a message says "run job N", and nothing else.

The embedded default needs no broker: messages are files in the instance folder. Redis and RabbitMQ are named by
`MIS_BROKER_URL`. Whatever carries the message may lose it, or bring it twice: the table of jobs is the truth.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.transport import filesystem

from mis import settings as configuration
from mis.calendar import now
from mis.settings import Settings

RUN_JOB = "mis.run_job"


def ring(job_id: int) -> None:
    """Say that there is a job. Raises what the broker raises; `mis.jobs` leaves such a job to the sweeper."""
    make_celery(configuration.current()).send_task(RUN_JOB, [job_id])


def make_celery(settings: Settings) -> Celery:
    """The Celery application of these settings, the same one for web, command line and worker."""
    return _celery(settings.effective_broker_url, settings.instance_dir.resolve() / "broker" / "messages")


@cache
def _celery(broker_url: str, folder: Path) -> Celery:
    made = Celery("mis", broker=broker_url, set_as_current=False)
    made.conf.update(
        task_ignore_result=True,
        # A message is given back only when its work has ended, and at once if the worker is lost with it.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # A child reads the whole application before it reports that it is there.
        worker_proc_alive_timeout=60,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        # A page must not wait for a broker that is down: the sweeper finds the job without the bell.
        broker_connection_timeout=2,
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1},
        broker_transport_options=_transport_options(broker_url, folder),
        timezone="UTC",
    )
    if broker_url.startswith("filesystem"):
        made.conf.broker_transport = f"{__name__}:FolderTransport"
    return made


def _transport_options(broker_url: str, folder: Path) -> dict[str, Any]:
    if broker_url.startswith("filesystem"):
        return {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder.with_name("control")),
            "polling_interval": 0.2,
        }
    if broker_url.startswith("redis"):
        # Longer than any turn of a worker: Redis gives a message to a second worker when this time is over.
        return {"visibility_timeout": 3600, "socket_timeout": 30, "socket_connect_timeout": 2}
    return {}


def embedded_command() -> list[str]:
    """The command of the embedded worker: one process with its clock, under a name that no other worker has."""
    schedule = configuration.load().instance_path("broker", "clock")
    return [
        *(sys.executable, "-m", "celery", "-A", "mis.worker:celery_app", "--quiet", "worker"),
        *("--beat", "--schedule", str(schedule), "--pool", "solo", "--loglevel", "warning"),
        *("--hostname", f"embedded-{secrets.token_hex(4)}@%h"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


class FolderChannel(filesystem.Channel):
    """Messages as files that appear whole: kombu's own are seen by the reader while they are still being written."""

    def _put(self, queue: str, payload: object, **_kwargs: object) -> None:  # type: ignore[override] # kombu names it in two ways
        # The name begins with the time, because messages are read in the order of their names.
        name = f"{now():%Y%m%d%H%M%S%f}_{uuid.uuid4()}.{queue}.msg"
        draft = Path(self.data_folder_out, f"{name}.draft")
        draft.write_text(json.dumps(payload), encoding="utf-8")
        os.replace(draft, Path(self.data_folder_out, name))


class FolderTransport(filesystem.Transport):
    """The embedded broker: a folder."""

    Channel = FolderChannel

    def __init__(self, client: Any, **options: object) -> None:
        super().__init__(client, **options)  # type: ignore[no-untyped-call]
        Path(client.transport_options["data_folder_in"]).mkdir(parents=True, exist_ok=True)
