"""`headrace branch`: deployments of git branches, which read production and cannot write to it."""

import click

from platform_core.cli.verbs import Verbs

# By verb the module of `platform_core.cli` that has it.
VERBS = {
    "open": "branch_life",
    "list": "branch_life",
    "status": "branch_life",
    "sync": "branch_life",
    "pin": "branch_life",
    "close": "branch_life",
    "expire": "branch_life",
    "plan": "branch_work",
    "run": "branch_work",
    "diff": "branch_diff",
    "check": "branch_review",
    "comment": "branch_review",
    "token": "branch_promotion",
    "promote": "branch_promotion",
}


@click.group(cls=Verbs, modules=VERBS)
def branch() -> None:
    """Deployments of git branches: they read production as it was when they were opened, and write beside it.

    \b
    Example, on a branch with an edited feature:
      headrace branch open
      headrace branch plan
      headrace branch run
      headrace branch diff
      headrace branch promote
      headrace branch close
    """
