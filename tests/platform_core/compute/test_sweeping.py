"""One backend that is away leaves the others to be looked through."""

from collections.abc import Callable, Iterable, Sequence

from platform_core.compute.backends.backend import Backend, Leftover
from platform_core.compute.placement import ComputeTable
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import BackendName
from platform_core.compute.sweeping import Swept, sweep_backends
from platform_core.errors import SettingsError
from tests.platform_core.compute.doubles import ScriptedBackend

Backends = dict[BackendName, Callable[[], Backend]]


class Littered(ScriptedBackend):
    """Has one thing that ended and one that runs, and notes how it was asked."""

    asked: list[tuple[float, int, bool]]

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.closed = [], False

    def sweep(self, now: float, profiles: Iterable[Profile] = (), *, dry_run: bool = False) -> Sequence[Leftover]:
        self.asked.append((now, len(list(profiles)), dry_run))
        return [Leftover("old", runs=False), Leftover("busy", runs=True)]

    def close(self) -> None:
        self.closed = True


def away() -> Backend:
    raise SettingsError("It is not set up.")


def test_all_backends_are_looked_through_and_let_go() -> None:
    littered = Littered()
    backends: Backends = {"batch": away, "container": lambda: littered, "kubernetes": Littered}
    table = ComputeTable("batch", {"gpu": Profile()}, backends)
    swept = sweep_backends(table, 100.0, dry_run=True)
    assert swept.removed == ("container old", "kubernetes old")
    assert swept.kept[0] == "The backend batch was not looked through: It is not set up."
    assert swept.kept[1] == "container busy still runs though its time is over."
    assert (littered.asked, littered.closed) == ([(100.0, 1, True)], True)


def test_one_that_nobody_has_set_up_is_not_missed() -> None:
    assert sweep_backends(ComputeTable("local", backends={"batch": away}), 100.0) == Swept()


def test_where_there_are_no_backends_there_is_nothing() -> None:
    assert sweep_backends(ComputeTable(), 100.0) == Swept()
