"""From an order to its container: found when it exists, otherwise made."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_core.compute.attempts import Order
from platform_core.compute.backends.container.lives import Life
from platform_core.compute.backends.container.options import Options
from platform_core.compute.backends.container.refusals import (
    EngineRefusal,
    NotThere,
    missing_image,
    refusal,
    too_large,
)
from platform_core.compute.backends.container.specification import is_of, secret_values, specification
from platform_core.errors import HeadraceError

if TYPE_CHECKING:
    from platform_core.compute.backends.container.engine import Engine

_CONFLICT = 409


@dataclass(frozen=True)
class Starter:
    """Starts containers in an engine, with what the backend was made with.

    Args:
        size: the processors and the memory of the engine's machine.
        waits: is told what a start waits for.
    """

    engine: "Engine"
    size: tuple[int, int]
    image: str
    options: Options
    python: str
    grace: float
    waits: Callable[[Life, str], None]

    def start(self, life: Life) -> None:
        """Sees to it that the container of an attempt was started, unless the attempt was asked to end before.

        Raises:
            HeadraceError: it cannot be, with the reason for people.
            EngineAway: the engine does not answer.
        """
        found = self.engine.inspect(life.name)
        if found is None and not life.asked:
            self._create(life)
            found = {"State": {"Status": "created"}} if life.owned else self.engine.inspect(life.name)
        if found is not None:
            self._take(life, found)

    def _take(self, life: Life, found: Any) -> None:
        """Takes charge of a container that exists."""
        if not life.owned and not is_of(life.order, found["Config"]["Labels"] or {}):
            raise HeadraceError(
                f"The container engine has a container {life.name} already, which is not of this run: remove it."
            )
        life.unwatched = not life.owned
        life.owned = True
        if found["State"]["Status"] in ("created", "initialized", "configured"):
            self._run(life)

    def _create(self, life: Life) -> None:
        order = life.order
        options = self.options.changed(order.profile.options)
        if reason := too_large(order, *self.size):
            raise HeadraceError(reason)
        secrets = secret_values(order.secrets, os.environ)
        body = specification(
            order, options, image=self._image(order), secrets=secrets, python=self.python, grace=self.grace
        )
        try:
            self._create_with_image(life, body, options)
        except EngineRefusal as error:
            if error.status != _CONFLICT:
                raise HeadraceError(self._refusal(order, error)) from error

    def _create_with_image(self, life: Life, body: dict[str, Any], options: Options) -> None:
        """Creates the container, and fetches its image when the engine has not got it."""
        try:
            self.engine.create(life.name, body, options.platform)
        except NotThere as error:
            if not _is_of_image(error):
                raise
            self._fetch(life, body["Image"], options, error)
            if life.asked:
                return
            self.engine.create(life.name, body, options.platform)
        life.owned = True

    def _fetch(self, life: Life, image: str, options: Options, missing: NotThere) -> None:
        if image.startswith("sha256:"):  # no registry knows it by that
            raise HeadraceError(
                f"The image {image} is no longer in the container engine that built it: build it again with headrace"
                " image build."
            )
        if not options.pull:
            raise HeadraceError(missing_image(image, missing.words, pull=False))
        self.waits(life, f"It waits for the image {image} to be fetched.")
        try:
            self.engine.pull(image, options.platform, lambda: not life.asked)
        except EngineRefusal as error:
            raise HeadraceError(missing_image(image, error.words, pull=True)) from error

    def _run(self, life: Life) -> None:
        try:
            self.engine.start(life.name)
        except EngineRefusal as error:
            self.engine.remove(life.name)
            raise HeadraceError(self._refusal(life.order, error)) from error

    def _image(self, order: Order) -> str:
        image = order.compute.image or self.image
        if not image:
            raise HeadraceError(
                "There is no image for it: give the backend a default one, or name one in Compute(image=...)."
            )
        return image

    def _refusal(self, order: Order, error: EngineRefusal) -> str:
        return refusal(error.words, order, self._image(order), self.python)


def _is_of_image(error: NotThere) -> bool:
    return "image" in error.words.lower()
