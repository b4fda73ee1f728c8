"""Dagster's GraphQL schema, whose mutations ask before they do anything."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, wraps
from typing import Any

from dagster_graphql.schema import create_schema
from dagster_graphql.schema.errors import GrapheneUnauthorizedError
from graphql import GraphQLError, GraphQLField, GraphQLResolveInfo, GraphQLUnionType, get_named_type

from platform_core.access.context import Permitted
from platform_core.access.decisions import Attempt, log_decision, undecided
from platform_core.access.mutations import GUARDS, Guard, Place
from platform_core.access.rights import NOBODY
from platform_core.access.stamps import tags_of

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def guarded_schema() -> Any:
    """One for all deployments of a process. Each mutation is wrapped, whatever query calls it by whatever name."""
    schema = create_schema()
    mutations = schema.graphql_schema.mutation_type
    assert mutations is not None
    for name, field in mutations.fields.items():
        field.resolve = _guarded(name, field, GUARDS.get(name))
    return schema


def _guarded(name: str, field: GraphQLField, guard: Guard | None) -> Callable[..., Any]:
    resolve = field.resolve
    assert resolve is not None
    kind = get_named_type(field.type)
    says_so = isinstance(kind, GraphQLUnionType) and any(one.name == "UnauthorizedError" for one in kind.types)

    @wraps(resolve)
    def guarded(root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        context = info.context
        places, reason = _judged(name, guard, context, arguments)
        rights = getattr(context, "rights", None) or NOBODY
        attempt = Attempt(name, guard.permission if guard else "", places)
        log_decision("denied" if reason else "allowed", attempt, context.source, rights, reason)
        if reason and says_so:
            return GrapheneUnauthorizedError(message=reason)  # type: ignore[no-untyped-call]
        if reason or guard is None:
            raise GraphQLError(reason, extensions={"code": "FORBIDDEN"})
        tags = tags_of(rights, places)
        if guard.stamps_backfill:
            context.stamp_backfills(tags)
        return resolve(root, info, **_stamped(guard, arguments, tags))

    return guarded


def _judged(name: str, guard: Guard | None, context: Any, arguments: Mapping[str, Any]) -> tuple[list[Place], str]:
    """What a mutation reaches, and why it is not done. One of which that cannot be found out is not done either."""
    try:
        places = list(_reach(guard, context, arguments))
        return places, _refusal(guard, context, places)
    except Exception as error:
        log.exception("Whether %s is allowed could not be found out.", name)
        return [None], undecided(error)


def _reach(guard: Guard | None, context: Any, arguments: Mapping[str, Any]) -> Iterable[Place]:
    return guard.reach(context, arguments) if guard and isinstance(context, Permitted) else [None]


def _refusal(guard: Guard | None, context: Any, places: Iterable[Place]) -> str:
    """Why a mutation is not done; nothing when it is."""
    rights = context.rights if isinstance(context, Permitted) else None
    if guard is None or rights is None:
        return "Nobody may do this here."
    if not _sent_on_purpose(context.source):
        return "Changes are made by POST with a body of JSON, which no page of another site can send."
    for place in places:
        if not context.may(guard.permission, place):
            return rights.reason(guard.permission, place)
    return ""


def _sent_on_purpose(source: Any) -> bool:
    """A browser sends forms and pictures to any site, with cookies; but neither JSON nor GraphQL without asking it."""
    kind = source.headers.get("content-type", "")
    return source.scope.get("method") == "POST" and ("application/json" in kind or "application/graphql" in kind)


def _stamped(guard: Guard, arguments: dict[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    stamps = guard.stamps or {}
    return {
        name: stamps[name](value, tags) if name in stamps and value is not None else value
        for name, value in arguments.items()
    }
