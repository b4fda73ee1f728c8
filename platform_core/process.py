"""`python -m platform_core.process`: the processes of a deployment that others supervise, and what their probes ask.

Each makes the Dagster home of its namespace, which is the process's own, and becomes Dagster's program.
"""

import argparse
import os
import socket
import sys
from collections.abc import Sequence

PATIENCE = 10.0  # seconds that a code server may take to say that it lives
SILENT = 300  # seconds after which a daemon counts as dead of which no part was heard; each beats every half minute
HUNG = 1800  # the same for one of its parts, which may be busy with a long tick
_SERVICE = b"DagsterApi"
_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
# Of the daemon that was heard last; what is left of an earlier one with other parts does not count.
_BEATS = """
SELECT extract(epoch FROM (now() AT TIME ZONE 'utc') - max(timestamp)),
       extract(epoch FROM (now() AT TIME ZONE 'utc') - min(timestamp))
FROM daemon_heartbeats
WHERE daemon_id = (SELECT daemon_id FROM daemon_heartbeats ORDER BY timestamp DESC LIMIT 1)
"""


def main(arguments: Sequence[str]) -> int:
    """Becomes what is asked for. 1 when a probe finds that it does not live; 2 with a sentence for a wrong setting."""
    asked = _parser().parse_args(arguments)
    if asked.process == "code-answers":
        return 0 if code_answers(asked.port) else 1
    from platform_core.errors import HeadraceError

    try:
        if asked.process == "daemon-lives":
            return 0 if daemon_lives() else 1
        _become(_command(asked))
    except HeadraceError as error:
        print(f"✗ {error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m platform_core.process", description=__doc__)
    processes = parser.add_subparsers(dest="process", required=True)
    code = processes.add_parser("code", help="the code server of a location")
    code.add_argument("location")
    code.add_argument("image", help="the image of this process, in which runs of the location run as well")
    code.add_argument("--port", default="4000")
    answers = processes.add_parser("code-answers", help="whether a code server of this machine has loaded its code")
    answers.add_argument("--port", default="4000")
    daemon = processes.add_parser("daemon", help="what ticks schedules and sensors and takes runs off the queue")
    daemon.add_argument("--workspace", default="workspace.yaml")
    processes.add_parser("daemon-lives", help="whether it stands by, or each of its parts was heard of lately")
    run = processes.add_parser("run", help="a command of Dagster that executes a run")
    run.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _command(asked: argparse.Namespace) -> list[str]:
    match asked.process:
        case "code":
            return [sys.executable, "-m", "dagster", "api", "grpc", *_serving(asked.location, asked.image, asked.port)]
        case "daemon":
            return [sys.executable, "-m", "platform_core.daemon", "--workspace", asked.workspace]
        case _:
            return list(asked.command)


def _serving(location: str, image: str, port: str) -> list[str]:
    from platform_core.locations import find_location
    from platform_core.settings import current_settings

    module, folder = find_location(location).module, str(current_settings().repository)
    told = ["--location-name", location, "--container-image", image, "--use-python-environment-entry-point"]
    return ["-m", module, "-d", folder, "--host", "0.0.0.0", "--port", port, *told]


def _become(command: list[str]) -> None:
    from platform_core.instance import prepare_dagster_home
    from platform_core.logs import logged
    from platform_core.settings import current_settings

    prepare_dagster_home(current_settings())
    wanted = logged(command)
    os.execvp(wanted[0], wanted)


def daemon_lives() -> bool:
    """Whether the daemon of this machine stands by, or leads and all of its parts were heard of lately in the
    PostgreSQL of the namespace's instance.

    Dagster's own way to ask takes seconds of a processor, each time.

    Raises:
        SettingsError: the instance is in no PostgreSQL.
    """
    from platform_core.daemon.lease import Lease, machine_of
    from platform_core.instance_settings import instance_settings
    from platform_core.settings import current_settings

    chosen = instance_settings()
    url, here = chosen.url_of(current_settings().writes_to), socket.gethostname()
    found = Lease(url, "", chosen.daemon_lease).leadership()
    if found is None:
        return False
    if machine_of(found.leader) == here:
        return _heard_of(url)
    return here in map(machine_of, found.standing_by)


def _heard_of(url: str) -> bool:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(url, poolclass=NullPool).connect() as connection:
        newest, oldest = connection.exec_driver_sql(_BEATS).one()
    return newest is not None and newest < SILENT and oldest < HUNG


def code_answers(port: str) -> bool:
    """Whether a code server of this machine says that it is well. It does not before its code was loaded."""
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = channel.unary_unary(_HEALTH)
        try:
            answer: bytes = ask(b"\n" + bytes([len(_SERVICE)]) + _SERVICE, timeout=PATIENCE)
        except grpc.RpcError:
            return False
    return answer == _SERVING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
