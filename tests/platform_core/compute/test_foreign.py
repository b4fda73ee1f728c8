"""An image in which no step can start is told as one sentence, whatever ran it."""

import pytest

from platform_core.compute.attempts import Ending
from platform_core.compute.foreign import explained
from platform_core.compute.placement import Placement
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute

NAMED = Placement("kubernetes", Compute(image="x@sha256:0123"), Profile(), "a test says so")
PYTHON = (
    "/usr/bin/python: Error while finding module specification for 'platform_core.compute.worker'"
    " (ModuleNotFoundError: No module named 'platform_core')\n"
)
TRACEBACK = """Traceback (most recent call last):
  File "/opt/headrace/code_locations/app/facts.py", line 1, in <module>
ModuleNotFoundError: No module named 'platform_core.tools'
"""
NO_PLATFORM = (
    "The image x@sha256:0123 has no platform inside, so that no step starts in it; use one of `headrace image build`,"
    " or one that stands on such a one (FROM)."
)


@pytest.mark.parametrize("log", [PYTHON, "python: No module named platform_core.compute.worker\n"])
@pytest.mark.parametrize("kind", ["failed", "vanished"])
def test_what_python_says_becomes_a_sentence_that_is_not_tried_again(kind: str, log: str) -> None:
    assert explained(Ending(kind, "exit code 1.", log), NAMED) == Ending("refused", NO_PLATFORM)  # type: ignore[arg-type]


def test_the_image_of_a_backend_is_named_as_that() -> None:
    placement = Placement("batch", Compute(), Profile(), "a test says so")
    told = explained(Ending("failed", "", PYTHON), placement)
    assert told.sentence.startswith("The image of the backend batch has no platform inside")


@pytest.mark.parametrize(
    "words",
    [
        'Its container cannot be started: failed to create containerd task: exec: "python": executable file not found'
        " in $PATH: unknown.",
        "The image cannot start a step: it has no such interpreter. AWS Batch says: CannotStartContainerError: exec:"
        ' "python": stat python: no such file or directory.',
    ],
)
def test_so_does_an_image_without_an_interpreter(words: str) -> None:
    told = explained(Ending("refused", words), NAMED)
    assert told.kind == "refused"
    assert told.sentence.startswith("The image x@sha256:0123 has no interpreter that could start a step; use one of")


@pytest.mark.parametrize(
    "ending",
    [
        Ending("finished"),
        Ending("failed", "exit code 1.", TRACEBACK),
        Ending("cancelled", "It was cancelled.", PYTHON),
        Ending("refused", "The container engine has no network 'x': create it, or correct the option network."),
    ],
)
def test_everything_else_is_told_as_it_was(ending: Ending) -> None:
    assert explained(ending, NAMED) is ending
