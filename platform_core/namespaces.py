"""Who is writing. Every other name (a folder, a Dagster home, a database role) derives from a `Namespace`."""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, cast

from platform_core.errors import NamespaceError

Kind = Literal["production", "user", "branch"]

SLUG_LIMIT = 40
THROWAWAY = "--reproduce-"  # no slug has it: what follows a double hyphen there is a hash and nothing else
_TOKEN = 6  # characters after it
KEPT_OF_NAME = SLUG_LIMIT - len(THROWAWAY) - _TOKEN
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def slug(text: str) -> str:
    """A short name made of `a-z0-9-`, valid for Kubernetes, PostgreSQL and S3; two texts never share one.

    A text that is a slug already is kept; any other gets a hash of itself appended.
    """
    if len(text) <= SLUG_LIMIT and _SLUG.fullmatch(text) and "--" not in text:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[: SLUG_LIMIT - 10].strip("-")
    # The double hyphen marks a name with a hash, which no kept text has: hence no collision between the two.
    return f"{words}--{digest}" if words else f"x--{digest}"


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where writes land: `production`, `user/<name>` or `branch/<slug>`."""

    kind: Kind
    name: str = ""

    def __post_init__(self) -> None:
        # Paths, roles and labels are made of a namespace, so that one with a wrong name must not exist.
        named = self.kind in ("user", "branch") and len(self.name) <= SLUG_LIMIT and _SLUG.fullmatch(self.name)
        if not named and (self.kind, self.name) != ("production", ""):
            raise NamespaceError(
                f"'{self}' is not a namespace: use production, user/<name> or branch/<slug>,"
                f" with a name of at most {SLUG_LIMIT} characters out of a-z, 0-9 and hyphens."
            )

    @classmethod
    def parse(cls, text: str) -> "Namespace":
        """Reads the text form; refuses anything that is not exactly one of the three forms."""
        kind, slash, name = text.partition("/")
        # A slash without a name is no form of anything; the whole text as a kind is refused as it was written.
        return cls(cast(Kind, kind), name) if name or not slash else cls(cast(Kind, text))

    @classmethod
    def of_user(cls, login: str) -> "Namespace":
        """The personal namespace of a login, whatever characters the login has."""
        return cls("user", slug(login))

    @property
    def throwaways(self) -> str:
        """How the namespaces beside a personal one begin that are thrown away after use; no login gives such a name.

        Of a long name only a part is kept.
        """
        return f"user/{self.name[:KEPT_OF_NAME].rstrip('-')}{THROWAWAY}"

    @property
    def is_production(self) -> bool:
        return self.kind == "production"

    @property
    def parent(self) -> "Namespace | None":
        """The namespace that is shown where this one has nothing of its own."""
        return None if self.is_production else PRODUCTION

    @property
    def slug(self) -> str:
        """One path segment or label value that no other namespace has."""
        return self.kind if self.is_production else f"{self.kind}-{self.name}"

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.kind


PRODUCTION = Namespace("production")
