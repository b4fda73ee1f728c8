import pytest

from platform_core.compute.backends.container.places import EngineAway, away, engine_address

NOTHING = lambda path: False  # noqa: E731


def test_what_is_given_comes_before_the_variable_and_that_before_sockets():
    assert engine_address("tcp://a:1", {"DOCKER_HOST": "tcp://b:2"}) == "tcp://a:1"
    assert engine_address("", {"DOCKER_HOST": "tcp://b:2"}) == "tcp://b:2"
    assert engine_address("", {}, lambda path: True) == "unix:///var/run/docker.sock"


def test_podmans_socket_without_root_is_found():
    socket = "/run/me/podman/podman.sock"
    assert engine_address("", {"XDG_RUNTIME_DIR": "/run/me"}, lambda path: path == socket) == f"unix://{socket}"


def test_no_engine_at_all_is_a_sentence():
    with pytest.raises(
        EngineAway, match=r"DOCKER_HOST is not set, and there is no /var/run/docker\.sock, .*Start Docker"
    ):
        engine_address("", {}, NOTHING)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("PermissionError(13, 'Permission denied')", "add the user to the socket's group"),
        ("FileNotFoundError(2, 'No such file or directory')", "start it, or set DOCKER_HOST"),
        ("[Errno 111] Connection refused", "start it, or set DOCKER_HOST"),
        ("Read timed out. (read timeout=60)", "takes too long to answer"),
        ("certificate verify failed", "DOCKER_TLS_VERIFY"),
        ("something new", "does not answer (something new)"),
    ],
)
def test_why_an_engine_does_not_answer_is_a_sentence(reason, words):
    sentence = str(away("unix:///x.sock", reason))
    assert words in sentence
    assert "unix:///x.sock" in sentence
