"""Why an engine does not start a container, from its own words to a sentence."""

import re

from platform_core.compute.attempts import Order
from platform_core.compute.quantities import size_text
from platform_core.errors import HeadraceError


class EngineRefusal(HeadraceError):
    """The engine answered that it will not do something. `words` are its own, `status` is that of HTTP."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(f"The container engine refuses: {words}")
        self.words = words
        self.status = status


class NotThere(EngineRefusal):
    """The engine knows no such container, or no such image."""


def refusal(words: str, order: Order, image: str, python: str) -> str:
    """The sentence for an order whose container the engine would not create or start."""
    for sign, sentence in _SIGNS:
        if found := re.search(sign, words, re.IGNORECASE):
            first = next(iter(found.groups()), "")
            return sentence.format(first, image=image, python=python, gpu=order.compute.gpu)
    return f"The container engine refuses to start it: {_first_line(words)}."


def missing_image(image: str, words: str, pull: bool) -> str:
    """The sentence for an image that is neither in the engine nor to be fetched."""
    why = f" and it cannot be fetched ({_first_line(words)})" if pull else ", and fetching is off (pull=False)"
    return (
        f"The image {image} is not in the container engine{why}: build or push it, or name another one in"
        " Compute(image=...)."
    )


def too_large(order: Order, cpus: int, memory: int) -> str:
    """Why the machine of the engine can never run an order; nothing when it can."""
    need = order.compute
    if cpus and need.cpu > cpus:
        return (
            f"It asks for {need.cpu:g} cpu, the container engine's machine has {cpus}: ask for less with"
            " Compute(cpu=...)."
        )
    if memory and (need.memory_bytes or 0) > memory:
        return (
            f"It asks for {size_text(need.memory_bytes or 0)} of memory, the container engine's machine has"
            f" {size_text(memory)}: ask for less with Compute(memory=...)."
        )
    return ""


def _first_line(words: str) -> str:
    return words.strip().partition("\n")[0].rstrip(".")


_SIGNS = (
    (
        r"could not select device driver|nvidia|unresolvable CDI",
        "It asks for {gpu} gpu, and the container engine has none to give: ask for none, choose a profile with GPUs, or"
        " have the NVIDIA container toolkit installed on the engine's machine.",
    ),
    (
        r"(?:source path does not exist:|statfs) (/.*?)(?:$|: no such file)",
        "The folder {0} of its volumes does not exist on the container engine's machine: create it there, or correct"
        " the volumes of the backend or profile.",
    ),
    (
        r"executable file.* not found|exec[: ].*(?:no such file|permission denied)",
        "The image {image} has no interpreter '{python}' that its user may run: use an image of this location's"
        " environment.",
    ),
    (
        r"network (?:with name or ID )?([^\s:]+):?(?: network)? not found",
        "The container engine has no network '{0}': create it, or correct the option network.",
    ),
    (
        r"unable to find user ([^\s:]+)",
        "The image {image} has no user '{0}': give the option user as numbers, such as 1000:1000.",
    ),
    (
        r"Minimum memory limit allowed is (\S+)",
        "It asks for less memory than a container can have: give it at least {0} with Compute(memory=...).",
    ),
    (
        r"argument list too long",
        "Its variables are larger than Linux lets a process have (128 KiB for one): pass less configuration.",
    ),
    (
        r"does not match the (?:specified|expected) platform|exec format error|no matching manifest",
        "The image {image} is made for another kind of processor than the container engine's machine has: build it"
        " for that one, or set the option platform.",
    ),
)
