"""The list of packages is CycloneDX, complete, and the same whenever it is made."""

from platform_core.environments.environment import environment_of
from platform_core.environments.images.sbom import sbom
from platform_core.environments.lock import Lock
from platform_core.environments.project import project_of
from tests.platform_core.environments.support.toys import Repository


def test_it_lists_what_the_lock_pins_with_hashes(repository: Repository) -> None:
    repository.add(
        "toys", "toy==1.0", extras='train = ["kit"]', headrace='system-packages = ["libgomp1", "libpq5=15.1-1"]'
    )
    environment, project = environment_of("toys"), project_of("toys")
    bill = sbom(environment, project)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert [item["purl"].partition("?")[0] for item in bill["components"]] == [
        "pkg:pypi/toy@1.0",
        "pkg:deb/debian/libgomp1",
        "pkg:deb/debian/libpq5@15.1-1",
    ]
    locked = next(package for package in Lock(project.lock).packages if package.name == "toy")
    (file,) = bill["components"][0]["externalReferences"]
    assert file["hashes"] == [{"alg": "SHA-256", "content": locked.files[0]["hash"].removeprefix("sha256:")}]
    assert bill == sbom(environment, project)


def test_extras_are_in_where_they_are_chosen(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", extras='train = ["kit"]')
    bill = sbom(environment_of("toys", ("train",)), project_of("toys"))
    assert {item["name"] for item in bill["components"]} == {"toy", "kit"}
