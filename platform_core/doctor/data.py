"""The catalog, the store and the clocks of both."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from platform_core.doctor.findings import Finding, fine, wrong
from platform_core.settings import Settings

SKEW = 5.0  # seconds by which clocks may differ: schedules, tokens and ages are told by several of them
_PROBE = ".doctor"


def look_at_catalog(settings: Settings) -> Iterator[Finding]:
    """Whether the catalog answers, has the tables of this release, and may be written to. Changes nothing of it."""
    from sqlalchemy import create_engine, make_url, text
    from sqlalchemy.pool import NullPool

    from platform_core.catalog.schema import HEAD

    url = make_url(settings.catalog)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield fine("catalog", f"{shown} does not exist yet; the first command that needs it makes it.")
        return
    with create_engine(url, poolclass=NullPool).connect() as connection:
        revision = connection.scalar(text("SELECT version_num FROM catalog_revision"))
        if revision == HEAD:
            yield fine("catalog", f"{shown} answers and is at revision {HEAD}.")
        elif str(revision) < HEAD:
            yield wrong(
                "catalog",
                f"{shown} is at revision {revision}, this release works with {HEAD}: any command of who owns its tables"
                " brings it there, such as: headrace namespace list",
            )
        else:
            yield wrong("catalog", f"{shown} is at revision {revision}, newer than this release ({HEAD}): update it.")
        if url.get_backend_name() == "postgresql":
            theirs = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            yield _clock("the catalog's server", float(theirs or 0))


def look_at_store(settings: Settings) -> Iterator[Finding]:
    """Whether this process may write, read and remove below its own namespace."""
    if "://" in settings.store:
        yield from _look_at_objects(settings)
        return
    probe = Path(settings.store) / f"{_PROBE}-{uuid4().hex}"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"probe")
        intact = probe.read_bytes() == b"probe"
    except OSError as error:
        yield wrong("store", f"{settings.store} cannot be written to: {error.strerror or error}.")
        return
    finally:
        with suppress(OSError):
            probe.unlink()
    if not intact:
        yield wrong("store", f"{settings.store} gives back something else than was written to it.")
    yield fine("store", f"{settings.store} can be written to and read.")


def _look_at_objects(settings: Settings) -> Iterator[Finding]:
    from platform_core.store.s3 import client_for

    client = client_for(settings.store)
    name = f"{settings.writes_to}/{_PROBE}-{uuid4().hex}"
    client.put(name, b"probe")
    try:
        answer = client.get(name)
        if bytes(answer.bytes()) != b"probe":
            yield wrong("store", f"{settings.store} gives back something else than was written to it.")
            return
        yield fine("store", f"{settings.store}/{settings.writes_to} can be written to and read.")
        yield _clock("the store", answer.meta["last_modified"].timestamp(), coarse=1.0)
    finally:
        client.delete(name)


def _clock(whose: str, theirs: float, coarse: float = 0.0) -> Finding:
    skew = time.time() - theirs
    if abs(skew) <= SKEW + coarse:
        return fine("clocks", f"This machine and {whose} agree to {max(abs(skew), 0.1):.1f} s.")
    order = "ahead of" if skew > 0 else "behind"
    now = datetime.now(UTC)
    return wrong(
        "clocks",
        f"This machine is {abs(skew):.0f} s {order} {whose} (here it is {now:%H:%M:%S} UTC): let both be set by NTP.",
    )
