"""The pages of the UI that tests look at: where they are, and what is clicked on them."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

GROUPS = ("facts", "features", "models", "predictions")


@dataclass(frozen=True)
class LineagePage:
    """The graph of the assets that a selection names, with all groups unfolded."""

    page: Page

    def open(self, selection: str) -> None:
        unfolded = ",".join(f"global@global:{group}" for group in GROUPS)
        self.page.goto(f"/asset-groups~{quote(selection, safe='')}?expanded={quote(unfolded)}")

    @property
    def graph(self) -> Locator:
        return self.page.locator("svg:has(foreignObject)")

    def node(self, asset: str) -> Locator:
        return self.graph.get_by_text(asset, exact=True)

    def symbols(self, name: str) -> Locator:
        """The small pictures of this name in all nodes, such as that of a sensor."""
        return self.graph.get_by_role("img", name=name, exact=True)

    def left_edge(self, asset: str) -> float:
        box = self.node(asset).bounding_box()
        assert box, f"{asset} is not to be seen in the graph"
        return box["x"]

    def give_the_graph_all_room(self) -> None:
        """Folds the list of assets away and fits the graph into the window."""
        self.page.get_by_role("img", name="panel_show_right").click()
        self.graph.dblclick(position={"x": 5, "y": 5})


@dataclass(frozen=True)
class AssetPage:
    """One asset of a location: what it is, and how it is now."""

    page: Page
    location: str = "flights"
    below: str = ""  # the path of the deployment

    def open(self, asset: str) -> None:
        self.page.goto(f"{self.below}/assets/{self.location}/{asset}")

    def materialize(self) -> str:
        """Clicks, waits until the run that it starts has ended well, and gives the run's id."""
        self.page.get_by_role("button", name=re.compile("Materialize$")).click()
        self.page.get_by_role("link", name="View", exact=True).click()
        self.page.wait_for_url(re.compile("/runs/"))
        expect(self.page.get_by_role("img", name="run_success").first).to_be_visible()
        return self.page.url.rpartition("/runs/")[2]

    def metadata(self, name: str) -> Locator:
        """The row of the table of metadata."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_text(name, exact=True))


@dataclass(frozen=True)
class AutomationPage:
    """Schedules and sensors with their switches."""

    page: Page

    def open(self) -> None:
        self.page.goto("/automation")

    @property
    def switches(self) -> Locator:
        return self.page.locator("label[class*=formatSwitch] input")


@dataclass(frozen=True)
class BranchesPage:
    """The list of all deployments."""

    page: Page

    def open(self) -> None:
        self.page.goto("/branches")

    def row(self, namespace: str) -> Locator:
        return self.page.locator(f"tr[data-namespace='{namespace}']")
