"""The entry point: collects the verbs and turns our errors into one line and an exit code."""

import os
import sys

import click

from platform_core.cli.console import errors
from platform_core.cli.verbs import Verbs
from platform_core.errors import HeadraceError, NamespaceError, NotFoundError, PartitionError, SettingsError

MISUSE = (NamespaceError, NotFoundError, PartitionError, SettingsError)

# By verb the module of `platform_core.cli` that has it. Only that of the verb that is called is loaded.
VERBS = {
    "run": "run",
    "dbt": "dbt",
    "ui": "ui",
    "daemon": "daemon",
    "check": "check",
    "doctor": "doctor",
    "backup": "recovery",
    "restore": "recovery",
    "versions": "versions",
    "show": "versions",
    "validate": "validate",
    "diff": "history",
    "rollback": "history",
    "gc": "history",
    "fsck": "history",
    "namespace": "namespace",
    "branch": "branch",
    "new-location": "new_location",
    "env": "env",
    "image": "image",
    "deploy": "deploy",
    "changed": "changed",
    "cost": "cost",
    "metrics": "metrics",
    "reproduce": "reproduce",
    "compare": "experiments",
    "leaderboard": "experiments",
    "search": "experiments",
    "tag": "experiments",
    "alias": "registry",
    "card": "registry",
    "try": "trying",
    "watch": "trying",
    "sweep": "sweeping",
    "notebook": "notebook",
    "export": "export",
}


@click.group(cls=Verbs, modules=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
def headrace() -> None:
    """From raw facts to features, models and predictions, in a namespace of your own.

    Example: headrace run +delay_predictions --partition 2013-12
    """


def main() -> None:
    """Exit codes: 0 done, 1 something failed, 2 misuse."""
    try:
        _configure_logs()
        headrace(standalone_mode=False)
    except HeadraceError as error:
        _tell(str(error))
        sys.exit(2 if isinstance(error, MISUSE) else 1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        errors.print("Stopped.")
        sys.exit(1)
    except Exception as error:
        if not _is_of_the_catalog(error):
            raise
        from platform_core.catalog.engine import without_password
        from platform_core.settings import current_settings

        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        _tell(f"The catalog {without_password(current_settings().catalog)} cannot be used: {reason}")
        sys.exit(1)


def _configure_logs() -> None:
    if os.environ.get("HEADRACE_LOGS"):  # or most commands would load settings for nothing
        from platform_core.logs import configure

        configure()


def _tell(sentence: str) -> None:
    """Tells why it did not work: in a line of JSON where logs are such lines."""
    if os.environ.get("HEADRACE_LOGS") == "json":
        from platform_core.logs import tell

        tell("error", sentence)
    else:
        errors.print(f"[red]✗[/] {sentence}", highlight=False, soft_wrap=True)


def _is_of_the_catalog(error: Exception) -> bool:
    """Asks SQLAlchemy only where it was used, as loading it takes a while."""
    sql = sys.modules.get("sqlalchemy.exc")
    return sql is not None and isinstance(error, sql.SQLAlchemyError)


if __name__ == "__main__":
    main()
