"""Who is told when something is wrong: the owner, through any of the services that apprise knows."""

import logging
import os
import urllib.request
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from platform_core.errors import SettingsError

DEFAULT = "default"
PATIENCE = 10.0  # seconds that a heartbeat may take

log = logging.getLogger(__name__)


class LogNotifier(dg.ConfigurableResource[Any]):
    """Outside production nobody is disturbed: what would be told is in the log."""

    def tell(self, owner: str, title: str, body: str) -> None:
        log.info("To %s: %s\n%s", owner, title, body)

    def beat(self) -> None:
        return None


class AppriseNotifier(dg.ConfigurableResource[Any]):
    """Sends to the addresses of an owner in a YAML file, whose path `HEADRACE_ALERTS` gives.

    The file has a list of apprise addresses for each owner, and for `default` those for everybody else:
    `team:flights: ["slack://…", "mailto://…"]`. `HEADRACE_HEARTBEAT` is an address that is asked for each time the
    watch has looked around; a service that expects that tells when it stops.
    """

    file: str = ""
    heartbeat: str = ""

    def tell(self, owner: str, title: str, body: str) -> None:
        """Raises when no address took the message, so that it is sent again."""
        from apprise import Apprise

        channel = Apprise()
        addresses = self._addresses(owner)
        if not all(channel.add(address) for address in addresses):
            raise SettingsError(f"An address of {owner} in {self._path} is none that apprise knows.")
        if addresses and not channel.notify(title=title, body=body):
            raise SettingsError(f"Nobody took the message for {owner}: {title}. Look at the addresses in {self._path}.")
        if not addresses:
            log.warning("%s has no address in %s: %s\n%s", owner, self._path, title, body)

    def beat(self) -> None:
        """Shows that the watch lives. A heartbeat that is not taken is only logged: its service tells of it."""
        address = self.heartbeat or os.environ.get("HEADRACE_HEARTBEAT", "")
        if not address:
            return
        try:
            urllib.request.urlopen(address, timeout=PATIENCE).close()
        except OSError as error:
            log.warning("The heartbeat was not taken: %s", error)

    @property
    def _path(self) -> str:
        return self.file or os.environ.get("HEADRACE_ALERTS", "")

    def _addresses(self, owner: str) -> list[str]:
        if not self._path:
            return []
        try:
            table = yaml.safe_load(Path(self._path).read_text()) or {}
            found = table.get(owner, table.get(DEFAULT, []))
        except (OSError, yaml.YAMLError, AttributeError) as error:
            raise SettingsError(
                f"HEADRACE_ALERTS cannot be used: {self._path} is no file of owners with their addresses"
                f" ({type(error).__name__})."
            ) from error
        return [found] if isinstance(found, str) else list(found)
