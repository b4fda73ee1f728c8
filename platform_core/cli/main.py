"""The entry point: collects the verbs and turns our errors into one line and an exit code."""

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from platform_core.cli.check import check
from platform_core.cli.console import errors
from platform_core.cli.history import diff, fsck, gc, rollback
from platform_core.cli.namespace import namespace
from platform_core.cli.run import run
from platform_core.cli.ui import ui
from platform_core.cli.versions import show, versions
from platform_core.errors import HeadraceError, NamespaceError, NotFoundError, PartitionError, SettingsError
from platform_core.settings import current_settings

MISUSE = (NamespaceError, NotFoundError, PartitionError, SettingsError)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def headrace() -> None:
    """From raw facts to features, models and predictions, in a namespace of your own.

    Example: headrace run +delay_predictions --partition 2013-12
    """


for command in (run, ui, check, versions, show, diff, rollback, gc, fsck, namespace):
    headrace.add_command(command)


def main() -> None:
    """Exit codes: 0 done, 1 something failed, 2 misuse."""
    try:
        headrace(standalone_mode=False)
    except HeadraceError as error:
        errors.print(f"[red]✗[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, MISUSE) else 1)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        errors.print(f"[red]✗[/] The catalog {current_settings().catalog} cannot be used: {reason}", soft_wrap=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        errors.print("Stopped.")
        sys.exit(1)
