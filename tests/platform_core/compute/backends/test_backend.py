"""What a backend need not say."""

import pytest

from platform_core.compute.backends.backend import Backend, require
from platform_core.compute.profiles import Limits
from platform_core.errors import SettingsError
from tests.platform_core.compute.doubles import ScriptedBackend


def test_a_backend_has_room_and_no_limits_unless_it_says_so() -> None:
    backend = ScriptedBackend()
    assert backend.has_room
    assert Backend.limits.__get__(backend) == Limits()
    backend.wake()  # before anybody has put something there


def test_a_library_that_the_environment_lacks_is_told_of_with_how_to_get_it() -> None:
    require("json", "batch")
    with pytest.raises(SettingsError, match=r"lacks: add headrace\[batch\] to the dependencies in its pyproject.toml"):
        require("no_such_library", "batch")
