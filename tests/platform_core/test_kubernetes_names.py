"""Names in Kubernetes are valid there, and no two things share one."""

import re

from hypothesis import given
from hypothesis import strategies as st

from platform_core.kubernetes_names import account_of, core_namespace, namespace_of, namespaces_of_locations
from platform_core.namespaces import PRODUCTION, Namespace, slug

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@given(st.text(min_size=1), st.text(min_size=1))
def test_locations_and_branches_have_names_of_their_own(one: str, other: str):
    branches = [core_namespace(Namespace("branch", slug(text))) for text in (one, other)]
    spaces = [namespace_of(text, namespaces_of_locations(PRODUCTION)) for text in (one, other)]
    for names in (branches, spaces, [account_of("start-runs", text) for text in (one, other)]):
        assert all(NAME.fullmatch(name) for name in names)
        assert (names[0] == names[1]) == (one == other)
    assert "headrace" not in spaces


def test_in_a_branch_all_locations_share_its_namespace():
    branch = Namespace("branch", "new-engine")
    assert namespace_of("flights", namespaces_of_locations(branch)) == core_namespace(branch)
