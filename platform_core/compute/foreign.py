"""Images in which a step cannot start: told in a sentence with what to do, and not in the interpreter's words."""

import re
from dataclasses import replace

from platform_core.compute.attempts import Ending
from platform_core.compute.placement import Placement

# What an interpreter says of `-m platform_core.compute.worker`; no step that began to run says it like this.
_NO_PLATFORM = re.compile(
    r"Error while finding module specification for 'platform_core\.|: No module named platform_core\b"
)
_NO_INTERPRETER = re.compile(r"executable file.* not found|exec[: ].*no such file", re.IGNORECASE)


def explained(ending: Ending, placement: Placement) -> Ending:
    """How an attempt ended; refused, with the image and what to do, where that has no platform inside."""
    image = placement.compute.image or f"of the backend {placement.backend}"
    mend = "use one of `headrace image build`, or one that stands on such a one (FROM)"
    if ending.kind in ("failed", "vanished") and _NO_PLATFORM.search(ending.log):
        return Ending("refused", f"The image {image} has no platform inside, so that no step starts in it; {mend}.")
    if ending.kind == "refused" and _NO_INTERPRETER.search(ending.sentence):
        return replace(ending, sentence=f"The image {image} has no interpreter that could start a step; {mend}.")
    return ending
