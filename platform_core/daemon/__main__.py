"""`python -m platform_core.daemon`: a daemon of the namespace's Dagster instance, which leads or stands by."""

import argparse
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

import dagster as dg
from sqlalchemy import make_url

from platform_core.daemon.fence import carried, put_up_fence
from platform_core.daemon.leading import kept, stand_by
from platform_core.daemon.lease import Lease, this_process
from platform_core.daemon.lock import only_daemon
from platform_core.errors import HeadraceError
from platform_core.instance import in_database, prepare_dagster_home
from platform_core.instance_settings import instance_settings
from platform_core.logs import logged
from platform_core.orchestrator.daemons import run_daemons
from platform_core.settings import current_settings

_log = logging.getLogger("headrace.daemon")


def main() -> int:
    """Ticks and launches until it is asked to end. 1 when another one has the instance, which is in files."""
    asked = _parser().parse_args()
    _log_as_dagster_does(asked.log_level)
    try:
        with suppress(KeyboardInterrupt):
            settings = current_settings()
            home, namespace = prepare_dagster_home(settings), settings.writes_to
            if in_database(namespace):
                chosen = instance_settings()
                lease = Lease(chosen.url_of(namespace), this_process(), chosen.daemon_lease)
                _in_turn(lease, home, asked.workspace, asked.log_level)
            else:
                _alone(home, asked.workspace, asked.log_level)
    except HeadraceError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m platform_core.daemon", description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("workspace.yaml"))
    parser.add_argument("--log-level", default="info")
    return parser


def _log_as_dagster_does(level: str) -> None:
    """Only of the lease: Dagster sets up its own loggers when it starts."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    own = logging.getLogger("headrace")
    own.addHandler(handler)
    own.setLevel(level.upper())
    own.propagate = False


def _alone(home: Path, workspace: Path, level: str) -> None:
    with only_daemon(home), dg.DagsterInstance.from_config(str(home)) as instance:
        run_daemons(instance, workspace, level)


def _in_turn(lease: Lease, home: Path, workspace: Path, level: str) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs_count()  # makes its tables, should they be missing
    lease.prepare()
    put_up_fence(lease.url)
    _log.info("%s stands by.", lease.holder)
    token = stand_by(lease)
    _log.info("%s leads, with lease %d.", lease.holder, token)
    options = cast(str, make_url(lease.url).query["options"])
    with (
        kept(lease, token, _stand_by_again),
        carried(token, options, lease.seconds),
        dg.DagsterInstance.from_config(str(home)) as instance,
    ):
        run_daemons(instance, workspace, level)


def _stand_by_again() -> None:
    """Becomes a new process under its old number, with none of the threads that still believe to lead."""
    _log.warning("Another daemon took over; this one stands by again.")
    os.execv(sys.executable, logged([sys.executable, "-m", "platform_core.daemon", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
