"""One start of one step: what a backend is asked to do, and what became of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from platform_core.namespaces import slug

STEP_VARIABLE = "HEADRACE_STEP"  # the step that a worker process is started for, as compressed text
WORKER = ("-m", "platform_core.compute.worker")  # what follows the interpreter in the command of a step


@dataclass(frozen=True)
class Attempt:
    """The `number`th start of a step in a run, counted from 1 whatever the reason of the start was.

    Number 0 executes nothing: it is tried whether the step can start.

    `partition` is set where the partitions of one step run side by side.
    """

    run_id: str
    step: str
    number: int = 1
    partition: str = ""

    @property
    def id(self) -> str:
        """The same for the same attempt in every process, so that a second launch finds the first.

        At most 52 characters out of a-z, 0-9 and hyphens, beginning with a letter: fit for the name of a Kubernetes
        Job, a container, a Batch job and a file.
        """
        whole = f"{self.run_id}\0{self.step}\0{self.partition}"
        digest = hashlib.sha256(whole.encode()).hexdigest()[:12]
        legible = slug(self.step).partition("--")[0][:24].strip("-")
        return f"headrace-{legible}-{digest}-{self.number}"


@dataclass(frozen=True)
class Order:
    """What a backend needs to know to start an attempt.

    Args:
        compute: with everything that its profile leaves to be filled in.
        payload: the step to execute, as the worker reads it from the variable `HEADRACE_STEP`.
        variables: environment variables that anybody may see.
        secrets: environment variables that nobody may see, by where the backend finds them (see `Profile`).
        labels: namespace, owner, location, asset, run and expiry of what is created; the janitor trusts only these.
        folder: where the run worker and a step on the same machine exchange files.
        interpreter: of the environment that a step on this machine runs in, where it is not the run worker's own.
    """

    attempt: Attempt
    compute: Compute
    profile: Profile
    payload: str
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    interpreter: str = ""


def is_over(expires: str | None, now: float) -> bool:
    """Whether the time of something with this label of expiry is over; what has none, or another's, never is."""
    return expires is not None and expires.isdecimal() and int(expires) < now


Kind = Literal["finished", "failed", "timeout", "memory", "vanished", "refused", "cancelled"]


@dataclass(frozen=True)
class Ending:
    """How an attempt ended.

    `finished`: its process ended well, whatever its events say of the step. `failed`: the process ended by its own
    fault (a crash, an exit code). `timeout`, `memory`: it was ended for going beyond them. `vanished`: the machine
    under it failed (evicted, reclaimed, lost). `refused`: it cannot ever start as asked. `cancelled`: by request.

    Args:
        sentence: the reason for people, empty when it finished.
        log: the last lines that it printed, where the platform does not have them otherwise.
    """

    kind: Kind
    sentence: str = ""
    log: str = ""


@dataclass(frozen=True)
class Change:
    """News of an attempt: it waits for something (`sentence` says for what), it runs, or it ended."""

    attempt: Attempt
    state: Literal["waiting", "running", "ended"]
    sentence: str = ""
    ending: Ending | None = None
