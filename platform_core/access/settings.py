"""Settings of who is let in: `HEADRACE_ACCESS*`."""

import json
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.access.identity import is_role
from platform_core.errors import SettingsError
from platform_core.settings import read_settings

# Signatures that only the issuer can make: with a shared secret, whoever verifies could sign as well.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class AccessSettings(BaseSettings):
    """Who is let in. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    access: Literal["local", "oidc"] = Field(
        default="local",
        description="local: who reaches this machine's own address has all rights; oidc: each request has a token.",
    )
    access_issuer: str = Field(default="", description="The issuer that tokens must name.")
    access_audience: str = Field(default="", description="The audience that tokens must name: the client's id.")
    access_keys: str = Field(default="", description="The issuer's keys (JWKS): an https address, or a file.")
    access_algorithms: tuple[str, ...] = Field(default=("RS256", "ES256", "EdDSA"), description="As a JSON list.")
    access_header: str = Field(default="authorization", description="The header with the token.")
    access_user: str = Field(default="preferred_username", description="The claim that names the user.")
    access_groups: str = Field(default="groups", description="The claim that lists the user's groups.")
    access_roles: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="As JSON: which roles a group gives: team:<name>, production, admin."
    )
    access_log: str = Field(default="", description="The file that takes decisions as JSON lines; -: standard error.")
    ui: str = Field(default="", description="The address at which users see the UI.")

    @field_validator("access_algorithms")
    @classmethod
    def _asymmetric(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in names if name not in ALGORITHMS]:
            raise ValueError(f"{json.dumps(wrong)} sign with no private key; use some of {', '.join(ALGORITHMS)}.")
        return names

    @field_validator("access_roles")
    @classmethod
    def _known_roles(cls, roles: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if wrong := [role for given in roles.values() for role in given if not is_role(role)]:
            raise ValueError(f"{json.dumps(wrong)} are no roles; there are team:<name>, production and admin.")
        return roles

    @model_validator(mode="after")
    def _complete(self) -> "AccessSettings":
        needed = ("access_issuer", "access_audience", "access_keys")
        missing = [f"HEADRACE_{name.upper()}" for name in needed if not getattr(self, name)]
        if self.access == "oidc" and missing:
            raise ValueError(f"oidc needs {', '.join(missing)} as well.")
        if self.access_keys.startswith("http://"):
            raise ValueError("the keys of the issuer (HEADRACE_ACCESS_KEYS) must come over https, or from a file.")
        return self

    def log_in(self, home: Path) -> str:
        """Where decisions go: on a laptop by default to a file, as a line for each click would hide all others."""
        return self.access_log or (str(home / "logs" / "access.jsonl") if self.access == "local" else "-")

    def require_host(self, host: str) -> None:
        """Refuses to give everybody on a network all rights."""
        if self.access == "local" and not _is_loopback(host):
            raise SettingsError(
                f"HEADRACE_ACCESS=local gives all rights to whoever reaches the server, so that it cannot listen at"
                f" {host}; use 127.0.0.1, or set HEADRACE_ACCESS=oidc."
            )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1)
def access_settings() -> AccessSettings:
    """The settings of this process.

    Raises:
        SettingsError: some cannot be used.
    """
    return read_settings(AccessSettings, "access")
