"""The values that the catalog takes and gives of branches."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch deployment: the code of a git branch, and the namespace that its runs write to.

    Args:
        base_commit: the commit of the git branch when it was opened.
        checkout: the folder with its code on the machine that opened it; empty where there is none.
        expires_at: when the janitor may close it; None: never.
    """

    namespace: str
    git_branch: str
    base_commit: str
    checkout: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Promotion:
    """What the audit log says of a promotion: whose versions, by which token, and who had issued that.

    Args:
        digest: of what was promoted, with the fingerprints of its code and environment.
    """

    transaction: int
    namespace: str
    branch: str
    digest: str
    token: str
    issuer: str
    issued_at: datetime
