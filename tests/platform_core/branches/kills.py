"""`python -m tests.platform_core.branches.kills FOLDER`: kills promotions and closings at each of their steps.

Tells what was there after the kill, and after the same was done again. A process of its own, as it forks.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from platform_core.branches.deployment import Deployment, find_branch
from platform_core.branches.opening import close_branch
from platform_core.branches.promotion import candidates, promote
from platform_core.branches.tokens import Leave
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.errors import NamespaceError
from platform_core.namespaces import PRODUCTION
from tests.platform_core.branches.conftest import NEW_ENGINE, World, new_world

ASSETS = ("t/feature", "t/model")
OPENING, PROMOTION = "platform_core.branches.opening", "platform_core.branches.promotion"
BRANCHING, WRITING = "platform_core.catalog.branching", "platform_core.catalog.writing"


@dataclass(frozen=True)
class Point:
    """A call at which the process is killed: the so manyth of a function, before or after it did its work."""

    action: str
    module: str
    function: str
    when: str = "before"
    call: int = 1

    def __str__(self) -> str:
        return f"{self.action} {self.when} {self.function} {self.call}"


POINTS = (
    Point("promote", PROMOTION, "adopt_version"),
    Point("promote", PROMOTION, "adopt_version", "after"),
    Point("promote", PROMOTION, "adopt_version", "after", 2),
    Point("promote", BRANCHING, "Branching.promote"),
    Point("promote", BRANCHING, "_refuse_used"),
    Point("promote", WRITING, "_point", "after"),
    Point("promote", BRANCHING, "Branching.promote", "after"),
    Point("close", "platform_core.catalog.lifecycle", "Lifecycle.close_namespace"),
    Point("close", "platform_core.catalog.lifecycle", "Lifecycle.close_namespace", "after"),
    Point("close", "platform_core.catalog.lifecycle", "Lifecycle.forget", "after"),
    Point("close", "platform_core.store.local", "LocalStore.discard", "after"),
    Point("close", OPENING, "shutil.rmtree"),
    Point("close", OPENING, "shutil.rmtree", "after"),
    Point("close", BRANCHING, "Branching.remove_branch"),
    Point("close", BRANCHING, "Branching.remove_branch", "after"),
)


def main(folder: Path) -> None:
    for number, point in enumerate(POINTS):
        print(json.dumps({"point": str(point)} | tried(point, folder / str(number))), flush=True)


def tried(point: Point, folder: Path) -> dict[str, Any]:
    """What was there after the kill, and after the same was done again."""
    world = new_world(folder)
    world.open()
    world.edit("t/feature", code="c2")
    for asset in ASSETS:
        world.compute(NEW_ENGINE, asset, {"of": "the branch"})
    world.catalog._engine.dispose()  # a connection must not be in two processes
    if (pid := os.fork()) == 0:
        with killed_at(point):
            ACTIONS[point.action](anew(world))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    again = anew(world)
    found = {"killed": os.WIFSIGNALED(status), "after the kill": state(again)}
    ACTIONS[point.action](again)
    return found | {"after all": state(again)}


def anew(world: World) -> World:
    return replace(world, catalog=Catalog(open_engine(world.settings.catalog)))


def promotes(world: World) -> None:
    found = candidates(world.catalog, NEW_ENGINE, world.assets)
    if found.versions:
        leave = Leave(str(NEW_ENGINE), found.digest, "ann", os.urandom(8).hex(), datetime.now(UTC))
        promote(world.catalog, world.store, found, leave)


def closes(world: World) -> None:
    try:
        branch = find_branch(world.catalog, "new-engine")
    except NamespaceError as error:
        if "was closed already" not in str(error):
            raise
        return
    close_branch(world.catalog, world.store, Deployment(branch, world.settings))


ACTIONS: dict[str, Callable[[World], None]] = {"promote": promotes, "close": closes}


def state(world: World) -> dict[str, Any]:
    """What production shows, with the transaction of each, and how much there is of the branch."""
    shown = {asset: world.catalog.resolve(PRODUCTION, asset)[""].version for asset in ASSETS}
    files = [path for path in (world.settings.home / "store" / str(NEW_ENGINE)).rglob("*") if path.is_file()]
    return {
        "production": sorted({world.value(PRODUCTION, asset)["of"] for asset in ASSETS}),
        "transactions": len({version.transaction for version in shown.values()}),
        "promotions": len(world.catalog.promotions()),
        "branches": len(world.catalog.branches()),
        "files": len(files),
    }


@contextmanager
def killed_at(point: Point) -> Iterator[None]:
    """Kills this process, as nothing can be caught, at a call of a function."""
    owner: Any = import_module(point.module)
    *path, name = point.function.split(".")
    for part in path:
        owner = getattr(owner, part)
    original, calls = getattr(owner, name), iter(range(1, 1000))

    def instead(*args: Any, **kwargs: Any) -> Any:
        if (last := next(calls) == point.call) and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = original(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, instead)
    yield


if __name__ == "__main__":
    main(Path(sys.argv[1]))
