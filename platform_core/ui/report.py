"""What a branch did to the data, as `headrace branch diff --html` tells it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from platform_core.errors import HeadraceError
from platform_core.namespaces import Namespace


def report_of(namespace: Namespace, repository: Path, variables: Mapping[str, str]) -> str:
    """The report as HTML, made by the command: what reads tables for it is no part of this process.

    Raises:
        HeadraceError: it cannot be made, with what the command says.
    """
    with TemporaryDirectory(prefix="headrace-report-") as folder:
        file = Path(folder) / "report.html"
        headrace = str(Path(sys.executable).with_name("headrace"))
        command = [headrace, "branch", "diff", str(namespace), "--html", str(file)]
        done = subprocess.run(command, cwd=repository, env=dict(variables), capture_output=True, text=True, check=False)
        if not file.exists():
            raise HeadraceError((done.stderr or done.stdout).strip().removeprefix("✗ "))
        return file.read_text(encoding="utf-8")
