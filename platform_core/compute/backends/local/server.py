"""`python -m platform_core.compute.backends.local.server`: a zygote in an interpreter of its own.

Steps of another environment are forked from it. It loads the run's job by itself, as the run worker's own cannot be
handed on; so it also serves a run worker that cannot be forked, because it has threads. Where the location starts
threads as soon as it is imported, no process that has loaded it can be forked: then each step loads it anew.
"""

import json
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from subprocess import DEVNULL, Popen
from typing import Any

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.local.threads import threads_in_the_way
from platform_core.compute.backends.local.zygote import EXIT_MEMORY, Execute, Start, Zygote
from platform_core.compute.processes import become_reaper
from platform_core.environments.environment import Plan, environment_of
from platform_core.environments.venvs import ready_venv, touch
from platform_core.errors import FrozenError, listed
from platform_core.logs import configure
from platform_core.settings import current_settings

REFUSED = "refused"  # the news that this server cannot execute anything
ANEW = "anew"  # the argument that makes this module execute one step, and no server
MODULE = "platform_core.compute.backends.local.server"


def start_server(line: Connection, interpreter: str, service: Mapping[str, Any]) -> None:
    """Starts a server whose zygote listens on `line`.

    Args:
        service: `request`: of any step of the run, from which the server learns where the job is. `outlive`: whether
            steps go on when the run worker is gone. `plan`: the environment that it is to be of, when that is another
            one than the interpreter's.
    """
    said = {"line": line.fileno(), **service}
    Popen(
        [interpreter, "-m", MODULE, json.dumps(said)],
        pass_fds=[line.fileno()],
        stdin=DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is for the run worker, which asks steps to end in order
    )


def serve(said: dict[str, Any]) -> None:
    configure()
    line = Connection(said["line"])
    os.set_inheritable(said["line"], False)
    if said["plan"]:
        _go_on_elsewhere(line, said)
    become_reaper()
    try:
        execute = executes(said["request"])
    except Exception as error:  # a team's own code may raise anything while it is imported
        traceback.print_exc()
        line.send((REFUSED, "", Ending("refused", f"The location cannot be loaded for its steps: {error}")))
        raise SystemExit(1) from error
    if names := threads_in_the_way():
        print(f"Importing the location starts threads ({listed(names)}): each step loads it anew, which takes longer.")
        execute = _execute_anew
    Zygote(line, execute, said["outlive"]).serve()


def _go_on_elsewhere(line: Connection, said: dict[str, Any]) -> None:
    """Replaces this process by one of the planned environment, which is made first when it is not there."""
    plan = Plan.from_text(said["plan"])
    try:
        environment = environment_of(plan.location, plan.extras)
        python = ready_venv(environment, lambda text: print(text, flush=True))
    except FrozenError as error:
        line.send((REFUSED, "", Ending("refused", str(error))))
        raise SystemExit(1) from error
    touch(python.parent.parent)
    repository = str(current_settings().repository)  # such a venv holds no code
    variables = {**os.environ, "PYTHONPATH": repository, "HEADRACE_REPOSITORY": repository}
    os.set_inheritable(said["line"], True)
    os.execve(python, [str(python), "-m", MODULE, json.dumps(said | {"plan": ""})], variables)


def executes(request: str) -> Execute:
    """Loads the job of a run; gives what executes its steps in forked processes."""
    from platform_core.compute.execution import into_journal, served_step
    from platform_core.compute.requests import StepRequest

    return into_journal(served_step(StepRequest.from_text(request)))


def _execute_anew(start: Start) -> None:
    """Replaces this forked process by a new Python: limits and session are the process's and stay."""
    os.execv(sys.executable, [sys.executable, "-m", MODULE, ANEW, json.dumps(asdict(start))])


def _anew(start: Start) -> int:
    configure()
    try:
        executes(start.payload)(start)
    except MemoryError:
        return EXIT_MEMORY
    return 0


if __name__ == "__main__":
    if sys.argv[1] == ANEW:
        sys.exit(_anew(Start(**json.loads(sys.argv[2]))))
    serve(json.loads(sys.argv[1]))
