"""A backend that does not answer is told in a sentence."""

import pytest

from platform_core.doctor.backends import look_at_backend
from platform_core.doctor.findings import looked_at


@pytest.mark.parametrize(
    ("settings", "state", "said"),
    [
        ({}, "fine", "processors"),
        ({"HEADRACE_COMPUTE": "moon"}, "wrong", "no backend"),
        ({"HEADRACE_COMPUTE": "container", "DOCKER_HOST": "unix:///nowhere.sock"}, "wrong", "No container engine"),
        ({"HEADRACE_COMPUTE": "kubernetes", "KUBECONFIG": "/nowhere"}, "wrong", "no credentials"),
        ({"HEADRACE_COMPUTE": "batch"}, "wrong", "HEADRACE_BATCH_QUEUE"),
    ],
)
def test_how_a_backend_is(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], state: str, said: str):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    [found] = looked_at("backend", look_at_backend)
    assert found.state == state
    assert said in found.sentence
