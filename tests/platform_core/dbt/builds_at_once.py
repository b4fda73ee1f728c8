"""A program: builds the dbt project in ten namespaces, each in a process of its own, all of them at once.

The first stops in the middle of its build, until all others have ended: whoever waited for a lock of it would wait for
ever. Prints the exit codes. Forked from one process that has imported dbt, which takes longer than the builds.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

import platform_core.dbt.plugin  # noqa: F401  which each of them loads

BUILDS = 10


def build(number: int, parsed: Path, hold: int | None) -> int:
    os.environ["HEADRACE_NAMESPACE"] = f"user/n{number}"
    target = parsed.parent / f"target-{number}"
    target.mkdir()
    shutil.copy(parsed / "partial_parse.msgpack", target)
    held: list[bool] = []

    def stop_in_the_middle(event: Any) -> None:
        if hold is not None and not held and event.info.name == "LogModelResult":
            held.append(True)
            os.read(hold, 1)

    folder = str(Path(os.environ["HEADRACE_REPOSITORY"]) / "dbt_project")
    places = [f"--project-dir={folder}", f"--profiles-dir={folder}", f"--target-path={target}", f"--log-path={target}"]
    done = dbtRunner(callbacks=[stop_in_the_middle]).invoke(["--log-level", "none", "build", *places])
    return 0 if done.success and (hold is None or held) else 1


def main() -> None:
    parsed = Path(sys.argv[1])
    hold, release = os.pipe()
    children = []
    for number in range(BUILDS):
        if (child := os.fork()) == 0:
            os._exit(build(number, parsed, hold if number == 0 else None))
        children.append(child)
    first, *others = children
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in others]
    os.write(release, b".")
    print([os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]), *codes])


if __name__ == "__main__":
    main()
