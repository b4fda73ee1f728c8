"""A process that has the libraries of an environment loaded, so that a code server is one fork away.

Started as a script in the interpreter of a location: it imports none of ours, because which code is ours differs from
branch to branch. It has one thread, runs nothing, and what it forked ends with it. Requests come as lines of JSON on
the standard input, answers go to the standard output.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LONGEST = 60  # seconds in which a module is imported to learn from it: what loops must not keep others from starting
ANSWERS = 9  # the descriptor that answers go to
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
# Pools of libraries, started when they are first used, that a forked process would wait for in vain.
_POOLS = re.compile(r"polars-\d+|tokio-|rayon")

Request = dict[str, Any]


def main() -> None:
    """Serves until nobody is there any more to ask."""
    answers = os.fdopen(os.dup2(1, ANSWERS), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this process, which ends it in order
    signal.signal(signal.SIGCHLD, _bury)
    _import(json.loads(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        answer = _learn(request) if request["verb"] == "learn" else _start(request)
        print(json.dumps(answer), file=answers, flush=True)


def _bury(_number: int, _frame: Any) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _learn(request: Request) -> Any:
    """Loads the libraries that a module needs: a child imports it and tells what that brought, without what is ours."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _become(request)
        signal.alarm(LONGEST)
        importlib.import_module(request["module"])
        with os.fdopen(theirs, "w") as told:
            json.dump([name for name, module in list(sys.modules.items()) if _is_library(module)], told)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        text = told.read()
    _import(json.loads(text) if text else [])  # what cannot be loaded now may be when its server is started
    return {"threads": _threads_in_the_way()}


def _is_library(module: Any) -> bool:
    where = getattr(getattr(module, "__spec__", None), "origin", None) or ""
    return where.startswith((sys.prefix, sys.base_prefix)) and not module.__spec__.name.startswith("__")


def _import(names: list[str]) -> None:
    for name in names:
        with suppress(Exception):  # it may want what is ours first; who needs it imports it
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or every collection in a child would copy the pages that it shares with this process


def _start(request: Request) -> Any:
    """Starts a Python module as a process of its own, forked where no thread is in the way."""
    if _threads_in_the_way():
        command = [request["executable"], "-m", request["module"], *request["arguments"]]
        with Path(request["log"]).open("ab") as log:
            begun = subprocess.Popen(
                command,
                cwd=request["folder"],
                env=request["variables"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(os.kill, begun.pid, signal.SIGTERM)
        return {"pid": begun.pid, "forked": False}
    child = os.fork()
    if child == 0:
        _become(request)
        _run(request)
    return {"pid": child, "forked": True}


def _become(request: Request) -> None:
    """Lets this process be as if it had been started where the request says."""
    _end_with_parent()
    os.close(ANSWERS)
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    os.environ.clear()
    os.environ.update(request["variables"])
    os.chdir(request["folder"])
    sys.path.insert(0, request["folder"])
    sys.executable = request["executable"]
    importlib.invalidate_caches()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)


def _run(request: Request) -> NoReturn:
    sys.argv = [request["module"], *request["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    sys.exit(0)


def _threads_in_the_way() -> list[str]:
    own = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    tasks = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return own + [name for name in tasks if _POOLS.match(name)]


if __name__ == "__main__":
    main()
