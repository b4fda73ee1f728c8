"""`python -m platform_core.doctor`: looks at everything that Dagster is needed for, and prints it as JSON."""

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from platform_core.doctor.findings import looked_at
from platform_core.doctor.orchestration import look_at_code_servers, look_at_dagster
from platform_core.settings import current_settings


def main(workspace: Path) -> None:
    found = looked_at("Dagster's storage", partial(look_at_dagster, current_settings()))
    found += looked_at("code servers", partial(look_at_code_servers, workspace))
    sys.stdout.write(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
