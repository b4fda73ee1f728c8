"""Who asks: a user with roles, taken from a token whose signature was verified, or from this machine."""

from dataclasses import dataclass, field

ADMIN, PRODUCTION = "admin", "production"
TEAM = "team:"


def is_role(text: str) -> bool:
    """Whether a text is `admin`, `production` or `team:<name>`."""
    return text in (ADMIN, PRODUCTION) or (text.startswith(TEAM) and len(text) > len(TEAM))


@dataclass(frozen=True, slots=True)
class Identity:
    """A user. Without a role one sees everything and changes nothing.

    Args:
        user: how owners of namespaces are called, too.
        expires: seconds since 1970 at which it has to be proven again; None: never.
    """

    user: str
    roles: frozenset[str] = field(default_factory=frozenset)
    expires: float | None = None

    @property
    def teams(self) -> list[str]:
        return sorted(role.removeprefix(TEAM) for role in self.roles if role.startswith(TEAM))
