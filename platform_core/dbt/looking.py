"""A dbt invocation that only shows what models would become."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_core.catalog.values import TRIAL, Version
from platform_core.dbt.session import Model, Receipt, Session
from platform_core.store.opening import open_store
from platform_core.store.store import Store

LOOK = "HEADRACE_DBT_LOOK"  # as JSON: the folder that rows are written to, and whether they are kept instead


@dataclass(frozen=True, slots=True)
class Looked(Receipt):
    """What a model would become: where its rows are, and of what it read the ids and the namespaces that show them."""

    files: tuple[str, ...] = ()
    read: tuple[tuple[str, str], ...] = ()


class LookingSession(Session):
    """Writes rows to a folder that is thrown away, or keeps them as versions that are not the current ones."""

    @property
    def _look(self) -> Mapping[str, Any]:
        look: Mapping[str, Any] = json.loads(os.environ[LOOK])
        return look

    @property
    def keeps(self) -> bool:
        return bool(self._look["keep"])

    @property
    def _written_to(self) -> Store:
        return self._store if self.keeps else open_store(self._look["folder"])

    def _commit(self, versions: Sequence[Version]) -> None:
        if self.keeps:
            self._catalog.keep(self._settings.writes_to, versions, {TRIAL: "try"})

    def _receipt(self, model: Model, versions: Sequence[Version], reason: str | None) -> Looked:
        ids = tuple(version.id for version in versions) if reason is None and self.keeps else ()
        files = tuple(str(path) for version in versions for path in self._written_to.verified_paths(version))
        inputs = (item for version in versions for item in version.provenance.inputs)
        read = tuple(dict.fromkeys((item.version, item.namespace) for item in inputs))
        return Looked(model.unique_id, model.asset, ids, reason, files, read)
