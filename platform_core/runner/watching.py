"""Tries an asset on every save: reloads what changed, keeps inputs in memory, and tells what came of it."""

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import dagster as dg

from platform_core.auditing.publication import audited
from platform_core.dbt.project import project_files
from platform_core.errors import HeadraceError
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.reloading import Code, State, Texts
from platform_core.runner.trying import Wish, key_of, try_asset
from platform_core.trials.subject import declared, looks_itself

PAUSE = 0.02  # seconds between two looks at the files
MOST_INPUTS = 32  # that are kept in memory


class Messages(Protocol):
    def send(self, kind: str, **content: Any) -> None: ...


@dataclass
class Watch:
    """An asset that is tried again and again, and what is kept between."""

    location: LoadedLocation
    wish: Wish
    code: Code
    texts: Texts
    cache: dict[Any, Any] = field(default_factory=dict)
    asset: dg.AssetsDefinition | None = None

    @classmethod
    def of(cls, location: LoadedLocation, wish: Wish) -> "Watch":
        asset = declared(location.definitions.assets or (), key_of(location, wish.asset))
        texts = Texts(project_files if looks_itself(asset) else list)
        texts.take()
        return cls(location, wish, Code.of(location.module.rpartition(".")[0]), texts)

    def changed(self) -> dict[str, State]:
        """The modules, and files of the dbt project for a model of it, that were saved since, each with its state."""
        return {name: self.code.state(name) for name in self.code.changed()} | self.texts.changed()

    def take(self) -> list[str]:
        """Reloads what changed, and finds the asset as it is by now; which modules and files they were."""
        files, modules = self.texts.take(), self.code.reload(but=self.location.module)
        if modules:
            self.asset = self._found() or self.asset
        return files + modules

    def _found(self) -> dg.AssetsDefinition | None:
        """The asset as its module declares it by now, with the checks that are written beside it."""
        modules = [module for name, module in self.code.modules().items() if name != self.location.module]
        defined = {id(item): item for module in modules for item in vars(module).values()}.values()
        name = self.wish.asset.rpartition("/")[2]
        assets = [item for item in defined if type(item) is dg.AssetsDefinition and len(item.keys) == 1]
        own = [item for item in assets if item.key.path[-1] == name and item.key in self.location.keys]
        if not own:
            return None
        checks = [item for item in defined if type(item) is dg.AssetChecksDefinition]
        mine = [item for item in checks if any(spec.asset_key == own[-1].key for spec in item.check_specs)]
        ((asset,), _) = audited([own[-1]], mine, self.location.definitions.resources or {})
        found: dg.AssetsDefinition = asset
        return found

    def result(self) -> dict[str, Any]:
        while len(self.cache) > MOST_INPUTS:
            self.cache.pop(next(iter(self.cache)))
        return try_asset(self.location, self.wish, self.cache, self.asset)


def watch(location: LoadedLocation, wish: Wish, messages: Messages, stop: Callable[[], bool] = lambda: False) -> int:
    """Tells of a first look, and of one after each save, until it is interrupted."""
    watched = Watch.of(location, wish)
    for reloaded in _saves(watched, stop):
        began = time.perf_counter()
        try:
            modules = watched.take() if reloaded else []
            content = watched.result()
        except HeadraceError as error:
            messages.send("refused", sentence=str(error))
            continue
        except Exception as error:  # whatever the code that was saved raises while it is imported
            messages.send("refused", sentence=where(error, watched.code.package))
            continue
        messages.send("tried", **content, reloaded=modules, seconds=time.perf_counter() - began)
    return 0


def _saves(watched: Watch, stop: Callable[[], bool]) -> Iterator[bool]:
    """False at once, then True after each change of files. What fails to load is not tried again as it is."""
    yield False
    failed: dict[str, State] = {}
    while not stop():
        changed = watched.changed()
        if changed and changed != failed:
            yield True
            failed = changed  # not as it is by now: it may have been saved again meanwhile
        else:
            time.sleep(PAUSE)


def where(error: Exception, package: str) -> str:
    """What a team's code raised, with the line of it."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    folder = f"/{package.replace('.', '/')}/"
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if folder in frame.filename] or frames[-1:]
    return f"{type(error).__name__}: {error} ({mine[-1].filename}:{mine[-1].lineno})"
