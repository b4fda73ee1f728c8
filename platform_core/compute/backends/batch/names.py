"""Names and tags as Batch takes them."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from platform_core.compute.attempts import Attempt

JOB_TAG = "headrace/job"  # the job's own name: what lacks it was not made here
_MOST_KEY, _MOST_VALUE, _MOST_TAGS = 128, 256, 45
_REFUSED = re.compile(r"[^\w \-+=.:/@]")


def run_name(run_id: str) -> str:
    """What the names of all jobs of a run begin with, so that one listing finds all of them."""
    return f"headrace-{hashlib.sha256(run_id.encode()).hexdigest()[:10]}"


def job_name(attempts: Sequence[Attempt]) -> str:
    """The same for the same attempts: that of one, or that of an array of them."""
    first = attempts[0]
    own = first.id.removeprefix("headrace-")
    if len(attempts) == 1:
        return f"{run_name(first.run_id)}-{own}"
    digest = hashlib.sha256("\0".join(attempt.id for attempt in attempts).encode()).hexdigest()[:12]
    return f"{run_name(first.run_id)}-{own.rsplit('-', 2)[0]}-{digest}-x{len(attempts)}"


def as_tags(labels: Mapping[str, str], job: str) -> dict[str, str]:
    """Labels with the characters and lengths that tags may have."""
    kept = {_plain(name)[:_MOST_KEY]: _plain(value)[:_MOST_VALUE] for name, value in labels.items()}
    allowed = {name: value for name, value in kept.items() if not name.lower().startswith("aws:")}
    return dict(list(allowed.items())[:_MOST_TAGS]) | {JOB_TAG: job}


def _plain(text: str) -> str:
    return _REFUSED.sub("_", text)
