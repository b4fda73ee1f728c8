"""A pull request has one comment of a branch, whatever else is said there, and its commit one status."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from platform_core.branches.pull_requests import GitHub
from platform_core.errors import PullRequestError

MARKER = "<!-- headrace branch/x -->"


class Server(ThreadingHTTPServer):
    """As much of GitHub as is asked for. `answers` are given first, such as 502."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        page = int(self.path.rpartition("page=")[2])
        self._answer(self.server.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        content = self._content()
        if "/statuses/" in self.path:
            self.server.statuses.append(content | {"commit": self.path.rpartition("/")[2]})
            self._answer({})
            return
        made = content | {"id": len(self.server.comments), "html_url": f"https://github/{len(self.server.comments)}"}
        if not self.server.answers:
            self.server.comments.append(made)
        self._answer(made)

    def do_PATCH(self) -> None:
        comment = self.server.comments[int(self.path.rpartition("/")[2])]
        comment.update(self._content())
        self._answer(comment)

    def _content(self) -> dict[str, Any]:
        return json.loads(self.rfile.read(int(self.headers["content-length"])))  # type: ignore[no-any-return]

    def _answer(self, content: Any) -> None:
        self.server.asked.append(f"{self.command} {self.headers['authorization']}")
        code = self.server.answers.pop(0) if self.server.answers else 200
        body = json.dumps(content if code < 400 else {"message": "no"}).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def github(server: Server) -> GitHub:
    return GitHub("team/repository", "secret", f"http://127.0.0.1:{server.server_port}")


def test_a_comment_is_written_once_and_then_changed(server: Server, github: GitHub) -> None:
    server.comments += [{"id": number, "body": "hello", "html_url": ""} for number in range(150)]
    first = github.put_comment(1, MARKER, f"{MARKER} one")
    assert github.put_comment(1, MARKER, f"{MARKER} two") == first
    assert [comment["body"] for comment in server.comments[150:]] == [f"{MARKER} two"]
    assert set(server.asked) >= {"POST Bearer secret", "PATCH Bearer secret"}


def test_a_comment_that_is_too_long_is_cut(server: Server, github: GitHub) -> None:
    github.put_comment(1, MARKER, MARKER + "x" * 100_000)
    assert len(server.comments[0]["body"]) < 65_536
    assert server.comments[0]["body"].endswith("… and more.")


def test_a_commit_gets_its_status(server: Server, github: GitHub) -> None:
    github.set_status("c0ffee", "failure", "x" * 200)
    (status,) = server.statuses
    assert (status["commit"], status["state"], status["context"]) == ("c0ffee", "failure", "headrace")
    assert len(status["description"]) == 140


def test_a_server_that_is_away_is_asked_again(server: Server, github: GitHub) -> None:
    server.answers = [502, 503]
    github.set_status("c0ffee", "success", "fine")
    assert len(server.asked) == 3


def test_a_refusal_is_one_sentence_and_not_repeated(server: Server, github: GitHub) -> None:
    server.answers = [403]
    with pytest.raises(PullRequestError, match=r"refused to write to team/repository: 403 no\. The token needs"):
        github.set_status("c0ffee", "success", "fine")
    assert len(server.asked) == 1
    assert "secret" not in repr(github)


def test_without_a_token_it_is_said_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(PullRequestError, match="set GITHUB_TOKEN"):
        GitHub.here("team/repository")
