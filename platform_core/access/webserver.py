"""Dagster's webserver, which asks for each change whether who asks may make it."""

from typing import Any

from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from platform_core.access.context import Permitted
from platform_core.access.decisions import Attempt, log_decision, log_refusal, named, undecided
from platform_core.access.identity import Identity
from platform_core.access.middleware import IDENTITY
from platform_core.access.ownership import deployment_of
from platform_core.access.rights import Rights
from platform_core.access.schema import guarded_schema
from platform_core.namespaces import Namespace

_REPORTING = "report_runless_asset_events"


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """The UI of one deployment. Its process context has to make request contexts that are `Permitted`.

    Args:
        namespace: which deployment it is.
    """

    def __init__(self, process_context: Any, namespace: Namespace, *arguments: Any, **options: Any) -> None:
        super().__init__(process_context, *arguments, **options)
        self._namespace = namespace

    def build_graphql_schema(self) -> Any:
        return guarded_schema()

    def _make_request_context(self, conn: HTTPConnection) -> Any:
        context = super()._make_request_context(conn)
        if not isinstance(context, Permitted):
            raise TypeError(f"{type(context).__name__} asks nobody for permission.")
        context.rights = self._rights(conn)
        return context

    async def report_asset_materialization_endpoint(self, request: Request) -> JSONResponse:
        return self._logged(request, await super().report_asset_materialization_endpoint(request))

    async def report_asset_check_endpoint(self, request: Request) -> JSONResponse:
        return self._logged(request, await super().report_asset_check_endpoint(request))

    async def report_asset_observation_endpoint(self, request: Request) -> JSONResponse:
        return self._logged(request, await super().report_asset_observation_endpoint(request))

    def _rights(self, connection: HTTPConnection) -> Rights:
        found = connection.scope.get(IDENTITY)
        who = found if isinstance(found, Identity) else None
        try:
            return Rights(deployment_of(self._namespace), who)
        except Exception as error:  # the request fails with it
            log_refusal(named(connection), connection, undecided(error), who)
            raise

    def _logged(self, request: Request, answer: JSONResponse) -> JSONResponse:
        refused = answer.status_code == 401  # noqa: PLR2004
        attempt = Attempt(request.scope["path"], _REPORTING)
        log_decision("denied" if refused else "allowed", attempt, request, self._rights(request))
        return answer
