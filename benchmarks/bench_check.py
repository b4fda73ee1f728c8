"""Looking at one location with `headrace check`, against Dagster's own validation of the same definitions."""

from benchmarks.interleave import Comparison, command, interleaved

OURS, PEER = "headrace check", "dagster definitions validate"


def main() -> Comparison:
    contenders = [
        command(OURS, ".venv/bin/headrace", "check", "--location", "flights"),
        command(
            PEER,
            *("code_locations/flights/.venv/bin/dagster", "definitions", "validate"),
            *("-m", "code_locations.flights.definitions"),
        ),
    ]
    return Comparison(
        claim="`headrace check` of one location takes at most 1.5 times `dagster definitions validate`",
        subject=OURS,
        reference=PEER,
        target=1.5,
        samples=interleaved(contenders),
    )
