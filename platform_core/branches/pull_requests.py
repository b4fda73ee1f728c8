"""GitHub, as far as a branch deployment speaks to it: one comment that is kept up to date, and a status of a commit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from platform_core.errors import PullRequestError

State = Literal["pending", "success", "failure"]
CONTEXT = "headrace"
PAGE = 100
LONGEST_COMMENT = 65_000  # characters; GitHub refuses more than 65,536
LONGEST_DESCRIPTION = 140


@dataclass(frozen=True)
class GitHub:
    """A repository by its `owner/name`. The token needs to write comments of pull requests, and statuses."""

    repository: str
    token: str = field(repr=False)
    api: str = "https://api.github.com"

    @classmethod
    def here(cls, repository: str = "") -> "GitHub":
        """As the variables of GitHub's own runners say.

        Raises:
            PullRequestError: one is missing.
        """
        found, token = repository or os.environ.get("GITHUB_REPOSITORY", ""), os.environ.get("GITHUB_TOKEN", "")
        if not found or not token:
            missing = "GITHUB_TOKEN" if found else "GITHUB_REPOSITORY, or --repository OWNER/NAME"
            raise PullRequestError(f"Nobody says which repository to write to, as whom: set {missing}.")
        return cls(found, token, os.environ.get("GITHUB_API_URL", cls.api))

    def put_comment(self, number: int, marker: str, body: str) -> str:
        """Writes the one comment of a pull request that begins with a marker, or changes it. Its address."""
        kept = body if len(body) <= LONGEST_COMMENT else body[:LONGEST_COMMENT] + "\n\n… and more."
        for comment in self._comments(number):
            if str(comment["body"]).startswith(marker):
                return str(self._ask("PATCH", f"issues/comments/{comment['id']}", {"body": kept})["html_url"])
        return str(self._ask("POST", f"issues/{number}/comments", {"body": kept})["html_url"])

    def set_status(self, commit: str, state: State, description: str) -> None:
        told = {"state": state, "context": CONTEXT, "description": description[:LONGEST_DESCRIPTION]}
        self._ask("POST", f"statuses/{commit}", told)

    def _comments(self, number: int) -> Iterator[dict[str, Any]]:
        page = 1
        while found := self._ask("GET", f"issues/{number}/comments?per_page={PAGE}&page={page}"):
            yield from found
            if len(found) < PAGE:
                return
            page += 1

    def _ask(self, method: str, path: str, content: dict[str, str] | None = None) -> Any:
        """The answer to a request, which is made again while the server is away."""
        import httpx
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

        again = Retrying(
            retry=retry_if_exception(_is_away), stop=stop_after_attempt(4), wait=wait_exponential(0.5), reraise=True
        )
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        url = f"{self.api}/repos/{self.repository}/{path}"
        try:
            for attempt in again:
                with attempt:
                    answer = httpx.request(method, url, json=content, headers=headers, timeout=30)
                    answer.raise_for_status()
            return answer.json()
        except httpx.HTTPStatusError as error:
            raise PullRequestError(_refused(self.repository, error.response)) from error
        except httpx.HTTPError as error:
            raise PullRequestError(f"GitHub cannot be reached at {self.api} ({error}); run it again.") from error


def _is_away(error: BaseException) -> bool:
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)


def _refused(repository: str, answer: Any) -> str:
    reason = answer.json().get("message", "") if "json" in answer.headers.get("content-type", "") else answer.text[:100]
    return (
        f"GitHub refused to write to {repository}: {answer.status_code} {reason}. The token needs the permissions"
        " pull-requests: write and statuses: write."
    )
