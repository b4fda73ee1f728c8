"""The kernel of this interpreter, whatever kernels the machine has been told of. Needs the extra `notebooks`."""

import sys
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir


class OwnKernel(AsyncKernelManager):
    """A name such as `python3` may be anybody's interpreter: a step has to stay in its own environment.

    It is spoken to through sockets in a folder that nobody else may open, not through ports.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(transport="ipc", **options)
        self.ip = str(Path(jupyter_runtime_dir()) / "kernel")  # else in the working folder, where kernels would meet

    @property
    def kernel_spec(self) -> KernelSpec:
        """How the kernel is started."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")
