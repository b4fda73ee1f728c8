"""What every backend does: four verbs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

from platform_core.compute.attempts import Attempt, Change, Order
from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import BackendName
from platform_core.errors import SettingsError


def require(library: str, backend: BackendName) -> None:
    """Sees whether a backend's library is there, without importing it.

    Raises:
        SettingsError: it is not installed in this environment.
    """
    if find_spec(library) is None:
        raise SettingsError(
            f"The backend {backend} needs the library {library}, which the environment of this location lacks: add"
            f" headrace[{backend}] to the dependencies in its pyproject.toml, and lock it anew with: uv lock"
        )


@dataclass(frozen=True)
class Leftover:
    """What is left of an attempt whose time is over: its run worker should have removed it, and is gone."""

    name: str
    runs: bool


class Backend(ABC):
    """A place where steps run.

    All four verbs are called from one thread, that of the executor, and none of them waits: what takes time happens
    in threads of the backend, which call `wake` when there is news.
    """

    name: ClassVar[BackendName]

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None  # the executor puts its own here before the first launch

    @property
    def limits(self) -> Limits:
        """The most that this backend can ever place; asking for more is refused before anything is launched."""
        return Limits()

    @property
    def has_room(self) -> bool:
        """Whether to hand it one more order now. A backend with a queue of its own always has room."""
        return True

    @property
    def image(self) -> str:
        """The image of steps that name none; empty where there is no such image."""
        return ""

    @property
    def tries_images(self) -> bool:
        """Whether to see before the first step of a run if the images that people named can be started."""
        return False

    def sweep(self, now: float, profiles: Iterable[Profile] = (), *, dry_run: bool = False) -> Sequence[Leftover]:  # noqa: ARG002
        """Removes what any run worker left behind, by the label that says when its time is over.

        What still runs is told and left alone: it may be somebody's work of weeks. A backend that forgets what ended
        by itself has nothing to do.

        Args:
            now: seconds since 1970.
            profiles: those of the deployment, as one may have attempts made in a place of its own.
            dry_run: say what would go, and change nothing.

        Raises:
            HeadraceError: it cannot be asked.
        """
        return ()

    @abstractmethod
    def launch(self, orders: Sequence[Order]) -> None:
        """Starts attempts, or takes charge of those that an earlier run worker started already.

        An attempt is known by its id: launching one twice must find the first, running or ended, and not start a
        second. What cannot be started is told by `changes` as ended, with kind `refused`.
        """

    @abstractmethod
    def changes(self) -> Sequence[Change]:
        """The news since the last call, each told once, in the order in which it happened for each attempt."""

    @abstractmethod
    def terminate(self, attempts: Collection[Attempt]) -> None:
        """Ends attempts; `changes` tells when each has ended. Unknown and ended ones are left alone."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of connections, threads and what is left of ended attempts. What still runs goes on running."""
