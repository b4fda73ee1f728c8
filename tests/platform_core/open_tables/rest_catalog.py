"""A REST catalog as Iceberg's specification has it, as far as publishing goes, over a catalog of pyiceberg."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError
from pyiceberg.table import CommitTableRequest, Table


@contextmanager
def rest_catalog(behind: Catalog) -> Iterator[str]:
    """The address of a server that offers the catalog."""
    kind = type("Asked", (_Asked,), {"behind": behind})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Asked(BaseHTTPRequestHandler):
    behind: Catalog

    def do_GET(self) -> None:
        match self._path():
            case ["config"]:
                self._answer({"defaults": {}, "overrides": {}})
            case ["namespaces", namespace, "tables", table]:
                self._answer(_told(self.behind.load_table((namespace, table))))
            case ["namespaces", namespace, "tables"]:
                found = self.behind.list_tables(namespace)
                self._answer({"identifiers": [{"namespace": name[:-1], "name": name[-1]} for name in found]})

    def do_HEAD(self) -> None:
        match self._path():
            case ["namespaces", namespace]:
                self._answer({}, 204 if self.behind.namespace_exists(namespace) else 404)
            case ["namespaces", namespace, "tables", table]:
                self._answer({}, 204 if self.behind.table_exists((namespace, table)) else 404)

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        match self._path():
            case ["namespaces"]:
                self.behind.create_namespace(tuple(json.loads(asked)["namespace"]))
                self._answer({"namespace": json.loads(asked)["namespace"]})
            case ["namespaces", namespace, "tables"]:
                self._answer(_told(self._create(namespace, CreateTableRequest.model_validate_json(asked))))
            case ["namespaces", namespace, "tables", table]:
                changes = CommitTableRequest.model_validate_json(asked)
                loaded = self.behind.load_table((namespace, table))
                done = self.behind.commit_table(loaded, changes.requirements, changes.updates)
                self._answer({"metadata-location": done.metadata_location, "metadata": _of(done.metadata)})

    def _create(self, namespace: str, asked: CreateTableRequest) -> Table:
        assert not asked.stage_create
        assert asked.partition_spec
        assert asked.write_order
        return self.behind.create_table(
            (namespace, asked.name),
            asked.table_schema,
            location=asked.location,
            partition_spec=asked.partition_spec,
            sort_order=asked.write_order,
            properties=asked.properties,
        )

    def _path(self) -> list[str]:
        version, *path = self.path.partition("?")[0].strip("/").split("/")
        assert version == "v1"
        return path

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except NoSuchTableError as error:
            self._answer({"error": {"message": str(error), "type": "NoSuchTableException", "code": 404}}, 404)
        except NamespaceAlreadyExistsError as error:
            self._answer({"error": {"message": str(error), "type": "AlreadyExistsException", "code": 409}}, 409)

    def _answer(self, told: Any, code: int = 200) -> None:
        body = b"" if code == 204 or self.command == "HEAD" else json.dumps(told).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def _told(table: Table) -> dict[str, Any]:
    return {"metadata-location": table.metadata_location, "metadata": _of(table.metadata), "config": {}}


def _of(metadata: Any) -> Any:
    return json.loads(metadata.model_dump_json())
