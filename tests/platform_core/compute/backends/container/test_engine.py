"""What is asked of which engine."""

from typing import Any

import pytest

from platform_core.compute.backends.container.engine import Engine
from platform_core.compute.backends.container.logs import LINES


class Client:
    """As much of an engine as its log takes. Podman's loses the beginning of what it was not asked for as a whole."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts

    def version(self) -> Any:
        return {"Components": [{"Name": part} for part in self._parts]}

    def logs(self, _name: str, *, tail: int | str, **_: Any) -> Any:
        lost = "Podman Engine" in self._parts and tail != "all"
        yield from [b"\n"] if lost else [b"oh", b"\n"]
        yield f"{tail}\n".encode()


@pytest.mark.parametrize(("parts", "most"), [(("Engine", "containerd"), LINES), (("Podman Engine", "Conmon"), "all")])
def test_a_line_that_was_printed_in_pieces_is_whole(
    parts: tuple[str, ...], most: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine("unix:///nowhere")
    monkeypatch.setattr(engine, "_new_client", lambda: Client(*parts))
    assert b"".join(engine.log("one")) == f"oh\n{most}\n".encode()
