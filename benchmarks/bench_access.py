"""What asking who may do what adds to a GraphQL call: one process, one instance, a token that is verified."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from dagster_webserver.webserver import DagsterWebserver
from starlette.types import ASGIApp

from benchmarks.interleave import Comparison, Contender, interleaved
from platform_core.access.context import Permitted
from platform_core.access.middleware import guard
from platform_core.access.settings import AccessSettings
from platform_core.access.webserver import GuardedWebserver
from platform_core.namespaces import PRODUCTION
from platform_core.orchestrator.workspaces import workspace_of_file

ASSETS, ROUNDS, MORE = 100, 60, 0.005
LOOP = asyncio.new_event_loop()  # one, as a server has: each new one would start threads
GUARDED, ALLOWED, PLAIN = "with rights", f"Dagster's own, and {MORE * 1000:.0f} ms", "Dagster's own"
# What the list of assets asks for, with a permission for each; and those of the deployment.
QUERY = "{ assetNodes { assetKey { path } hasMaterializePermission isPartitioned } permissions { permission value } }"
CODE = """
import dagster as dg
defs = dg.Definitions([dg.AssetSpec(f"a{{n}}") for n in range({assets})])
"""
LOCATION = "load_from: [{{python_file: {{relative_path: {path}, location_name: flights}}}}]\n"


class Plain:
    """What is mixed into a request context that asks as Dagster does."""


def main() -> Comparison:
    with TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
        (Path(folder) / "code.py").write_text(CODE.format(assets=ASSETS))
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(LOCATION.format(path=Path(folder) / "code.py"))
        os.environ.setdefault("HEADRACE_NAMESPACE", "production")
        access, token = _access(Path(folder))
        with (
            workspace_of_file(instance, workspace, Permitted) as ours,
            workspace_of_file(instance, workspace, Plain) as theirs,
        ):
            guarded = guard(GuardedWebserver(ours, PRODUCTION).create_asgi_app(), access)
            plain = DagsterWebserver[Any, Any](theirs).create_asgi_app()
            contenders = [
                Contender(GUARDED, _asked(guarded, token)),
                Contender(ALLOWED, _asked(plain, token, MORE)),
                Contender(PLAIN, _asked(plain, token)),
            ]
            samples = interleaved(contenders, ROUNDS)
    claim = f"Rights add at most {MORE * 1000:.0f} ms to a GraphQL call about {ASSETS} assets"
    return Comparison(claim=claim, subject=GUARDED, reference=ALLOWED, target=1.0, samples=samples)


def _access(folder: Path) -> tuple[AccessSettings, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": "k"}
    (folder / "keys.json").write_text(json.dumps({"keys": [public]}))
    now = int(time.time())
    claims = {"iss": "i", "aud": "a", "iat": now, "exp": now + 3600, "preferred_username": "u", "groups": ["g"]}
    settings = AccessSettings(
        access="oidc", access_issuer="i", access_audience="a", access_keys=str(folder / "keys.json"),
        access_roles={"g": ("team:flight-operations",)},
    )  # fmt: skip
    return settings, jwt.encode(claims, key, algorithm="RS256", headers={"kid": "k"})


def _asked(app: ASGIApp, token: str, more: float = 0.0) -> Callable[[], None]:
    """One call, which has to give something; Dagster's own server pays no heed to the token."""

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ui") as client:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post("/graphql", json={"query": QUERY}, headers=headers)
            assert len(answer.json()["data"]["assetNodes"]) == ASSETS
        time.sleep(more)

    return lambda: LOOP.run_until_complete(ask())
