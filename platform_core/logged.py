"""`python -m platform_core.logged MODULE ...`: as `python -m MODULE ...`, with logs as settings say."""

import runpy
import sys

from platform_core.logs import configure


def main(arguments: list[str]) -> None:
    configure()
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
