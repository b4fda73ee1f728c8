"""A group of commands that are loaded when they are called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Verbs(click.Group):
    """Loads a verb when it is asked for: all of them together take longer than most of them run.

    Args:
        modules: by verb the module of `platform_core.cli` that has it, under its own name, with `_` for `-`, or with
            a `_` behind.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._modules:
            return None
        module = import_module(f"platform_core.cli.{self._modules[cmd_name]}")
        name = cmd_name.replace("-", "_")
        found: click.Command = getattr(module, name, None) or getattr(module, f"{name}_")
        return found
