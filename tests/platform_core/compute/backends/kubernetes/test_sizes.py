"""Whether any machine could ever take a pod."""

from typing import Any

import pytest

from platform_core.compute.backends.kubernetes.sizes import amount, never_fits


def node(cpu: str = "8", memory: str = "32Gi", gpu: str = "0", **more: Any) -> dict[str, Any]:
    allocatable = {"cpu": cpu, "memory": memory, "nvidia.com/gpu": gpu}
    metadata = {"labels": more.pop("labels", {})}
    return {"metadata": metadata, "spec": more, "status": {"allocatable": allocatable}}


def pod(selector: dict[str, str] | None = None, tolerations: Any = (), **needs: str) -> dict[str, Any]:
    named = {name.replace("gpu", "nvidia.com/gpu"): value for name, value in needs.items()}
    spec: dict[str, Any] = {"containers": [{"resources": {"requests": named}}], "tolerations": tolerations}
    return spec | ({"nodeSelector": selector} if selector else {})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("4", 4),
        ("24581696Ki", 24581696 << 10),
        ("2Gi", 2 << 30),
        ("1k", 1000),
        ("1e3", 1000),
        ("0", 0),
    ],
)
def test_quantities(text: str, number: float) -> None:
    assert amount(text) == pytest.approx(number)


def test_what_an_empty_machine_could_take_fits() -> None:
    assert never_fits(pod(cpu="8", memory="32Gi"), [node("2"), node()]) == ""


def test_what_is_too_large_names_the_largest() -> None:
    why = never_fits(pod(cpu="64", memory="1Gi"), [node(), node("16")])
    assert why == "it asks for 64 cpu, and the largest machines have 16 cpu"
    assert "1 TiB of memory" in never_fits(pod(memory="1Ti"), [node()])


def test_machines_that_are_each_too_small_in_another_way() -> None:
    why = never_fits(pod(cpu="8", gpu="1"), [node("8"), node("2", gpu="1")])
    assert why.startswith("it asks for 8 cpu and 1 nvidia.com/gpu")


def test_a_kind_of_machine_that_does_not_exist() -> None:
    assert "of the kind" in never_fits(pod({"gpu": "h100"}), [node()])
    assert never_fits(pod({"gpu": "h100"}), [node(labels={"gpu": "h100"})]) == ""


TAINT = {"key": "farm", "value": "gpu", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"key": "farm", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "farm", "value": "gpu", "effect": "NoSchedule"}, True),
        ({"key": "farm", "value": "cpu"}, False),
        ({"key": "farm", "value": "gpu", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_taints(toleration: dict[str, str], fits: bool) -> None:
    assert (never_fits(pod(tolerations=[toleration]), [node(taints=[TAINT])]) == "") == fits


def test_a_machine_that_is_out_of_order_for_now_counts() -> None:
    unready = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    assert never_fits(pod(), [node(taints=[unready])]) == ""
