"""`dbt build` of fifty models into versions of a namespace, against plain dbt-duckdb into a database file."""

import tempfile
from functools import partial
from pathlib import Path

from benchmarks.dbt_projects import build, projects
from benchmarks.interleave import Comparison, Contender, interleaved

SUBJECT, REFERENCE = "headrace dbt build", "dbt build"


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        both = projects(Path(folder))
        contenders = [
            Contender(SUBJECT, partial(build, both, plain=False)),
            Contender(REFERENCE, partial(build, both, plain=True)),
        ]
        samples = interleaved(contenders)
    return Comparison(
        claim="Building fifty dbt models takes at most 1.2 times plain dbt-duckdb on the same data",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.2,
        samples=samples,
    )
