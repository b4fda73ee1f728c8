"""What is on disk of attempts on this machine, so that a later run worker can take charge of them."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from platform_core.compute.attempts import Attempt, Ending
from platform_core.compute.processes import started_at


@dataclass(frozen=True)
class Records:
    """The records of the attempts of one run, in one folder."""

    folder: Path

    def write_running(self, attempt: str, pid: int) -> None:
        self._write(attempt, "running", {"pid": pid, "started": started_at(pid)})

    def write_ended(self, attempt: str, ending: Ending) -> None:
        self._write(attempt, "ended", asdict(ending))

    def pid(self, attempt: Attempt) -> int | None:
        """The process of an attempt; 0 when it is gone, None when there never was one."""
        record = self._read(attempt, "running")
        if record is None:
            return None
        # One that ended before it was written down has no time at which it started.
        is_there = record["started"] is not None and record["started"] == started_at(record["pid"])
        return int(record["pid"]) if is_there else 0

    def ending(self, attempt: Attempt) -> Ending | None:
        record = self._read(attempt, "ended")
        return None if record is None else Ending(**record)

    def _read(self, attempt: Attempt, kind: str) -> dict[str, Any] | None:
        try:
            return dict(json.loads((self.folder / f"{attempt.id}.{kind}").read_text()))
        except FileNotFoundError:
            return None

    def _write(self, attempt: str, kind: str, content: object) -> None:
        """At once: whoever reads finds all of it or nothing."""
        scratch = self.folder / f".{attempt}.{kind}"
        scratch.write_text(json.dumps(content))
        os.replace(scratch, self.folder / f"{attempt}.{kind}")
