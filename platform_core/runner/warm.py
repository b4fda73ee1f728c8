"""`python -m platform_core.runner.warm LOCATION MODULE`: loads a location, and forks for each request.

It does nothing itself but load what is asked for, so that what it forks is as it was loaded; it has one thread, and
ends with whoever started it.
"""

import array
import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from platform_core.errors import HeadraceError
from platform_core.orchestrator.spared import spare_imports
from platform_core.runner.__main__ import main as answer
from platform_core.runner.loading import LoadedLocation, load_location
from platform_core.runner.reloading import Code
from platform_core.settings import current_settings
from platform_core.trials.subject import instance_in_memory, load_for_looks
from platform_core.warm import address_of, is_ours

LARGEST = 1_000_000  # bytes of a request
USED = (
    "platform_core.catalog.catalog",
    "platform_core.catalog.engine",
    "platform_core.compute.orchestration",
    "platform_core.compute.sweep_fan",
    "platform_core.runner.sweeping",
    "platform_core.store.local",
    "sqlalchemy.dialects.sqlite",
)


def main(name: str, module: str) -> int:
    spare_imports()
    location = load_location(name, module)
    load_what_is_used()
    location.definitions.get_repository_def()
    _ = location.keys
    code, files = Code.of(module.rpartition(".")[0]), Code.of("platform_core")
    address = address_of(name, current_settings())
    with _listening(address) as door:
        gc.collect()
        gc.freeze()  # or every collection in a child would copy the pages that it shares with this process
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print("ready", flush=True)
        while _somebody_asks(door):
            if files.changed():
                break  # the platform itself is another one by now
            line, _ = door.accept()
            _take(line, door, location, code)
    address.unlink(missing_ok=True)
    return 0


def load_what_is_used() -> None:
    """What a request needs and loading a location does not bring."""
    for used in USED:
        import_module(used)
    instance_in_memory()


def _listening(address: Path) -> socket.socket:
    address.parent.mkdir(mode=0o700, exist_ok=True)
    if not is_ours(address.parent):
        raise SystemExit(f"{address.parent} can be written to by others; remove it.")
    address.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(str(address))
    door.listen()
    return door


def _somebody_asks(door: socket.socket) -> bool:
    """Waits for a request; False when whoever started this process is gone, which closes its input."""
    ready, _, _ = select.select([door, sys.stdin], [], [])
    return sys.stdin not in ready


def _take(line: socket.socket, door: socket.socket, location: LoadedLocation, code: Code) -> None:
    with line:
        content, ancillary, _, _ = line.recvmsg(LARGEST, socket.CMSG_SPACE(8))
        descriptors = array.array("i")
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        asked = json.loads(content)
        if wish := asked["request"].get("wish"):
            with suppress(HeadraceError):  # told by the child, to whom it happens too
                load_for_looks(location.definitions.assets or (), wish["asset"])
        pid = os.fork()
        if pid == 0:
            door.close()
            _answer(line, asked, (descriptors[0], descriptors[1]), location, code)
        for descriptor in descriptors:
            os.close(descriptor)


def _answer(
    line: socket.socket, content: dict[str, Any], outputs: tuple[int, int], location: LoadedLocation, code: Code
) -> None:
    """The child: as the process that the command would have started, with the location as its files are by now."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        line.send(str(os.getpid()).encode())
        messages, printed = outputs
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        for name in [name for name in os.environ if name.startswith("HEADRACE_")]:
            del os.environ[name]
        os.environ.update(content["settings"])
        status = answer({**content["request"], "descriptor": messages}, _by_now(location, code))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        line.send(str(status).encode())
        os._exit(status)


def _by_now(location: LoadedLocation, code: Code) -> LoadedLocation | None:
    """The location with what was saved since; None where that does not load, so that loading it anew says why."""
    if not code.changed():
        return location
    try:
        code.reload()
        return load_location(location.name, location.module)
    except Exception:  # told by whoever loads it next
        for name in code.modules():
            del sys.modules[name]
        return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
