import json
from collections.abc import Mapping
from typing import Any

import pytest

from platform_core.compute.attempts import Order
from platform_core.compute.backends.container.options import Options
from platform_core.compute.backends.container.specification import is_of, secret_values, specification
from platform_core.errors import HeadraceError
from tests.platform_core.compute.backends.container.orders import an_order

GIB = 1 << 30


def made_of(order: Order, options: Options | None = None, secrets: Mapping[str, str] | None = None) -> dict[str, Any]:
    return specification(
        order, options or Options(), image="rides@sha256:1", secrets=secrets or {}, python="py", grace=7
    )


def environment(body: Mapping[str, Any]) -> dict[str, str]:
    return dict(text.split("=", 1) for text in body["Env"])


def test_limits_are_those_of_the_compute_and_swap_adds_nothing():
    host = made_of(an_order(compute={"cpu": 1.5, "memory": "4GiB"}))["HostConfig"]
    assert host["NanoCpus"] == 1_500_000_000
    assert host["Memory"] == host["MemorySwap"] == 4 * GIB
    assert host["ShmSize"] == 2 * GIB
    assert host["PidsLimit"] == 4096


def test_without_a_memory_there_is_no_memory_limit():
    assert not {"Memory", "MemorySwap", "ShmSize"} & set(made_of(an_order())["HostConfig"])


def test_gpus_are_asked_of_the_engine_only_when_the_step_asks():
    assert made_of(an_order(compute={"gpu": 2}))["HostConfig"]["DeviceRequests"] == [
        {"Driver": "", "Count": 2, "Capabilities": [["gpu"]]}
    ]
    assert "DeviceRequests" not in made_of(an_order())["HostConfig"]


def test_a_step_gets_no_rights_that_nobody_gave_it():
    body = made_of(an_order())
    assert body["User"] == "65534:65534"
    assert body["HostConfig"]["CapDrop"] == ["ALL"]
    assert body["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
    assert body["HostConfig"]["ReadonlyRootfs"] is True
    assert "/tmp" in body["HostConfig"]["Tmpfs"]
    assert "Privileged" not in body["HostConfig"]


def test_options_relax_what_they_name():
    options = Options(
        volumes=("/data:/data:ro", "cache:/cache"),
        network="host",
        extra_hosts=("db:10.0.0.1",),
        user="5:5",
        tmpfs=("/scratch:size=1g", "/var/run"),
        read_only=False,
        new_privileges=True,
        capabilities=("SYS_PTRACE",),
        security=("label=disable",),
        userns="keep-id",
        shm="1GiB",
        pids=9,
    )
    body = made_of(an_order(), options)
    assert body["User"] == "5:5"
    expected = {
        "NetworkMode": "host",
        "ExtraHosts": ["db:10.0.0.1"],
        "ReadonlyRootfs": False,
        "CapAdd": ["SYS_PTRACE"],
        "SecurityOpt": ["label=disable"],
        "UsernsMode": "keep-id",
        "ShmSize": GIB,
        "PidsLimit": 9,
        "Mounts": [
            {"Type": "bind", "Source": "/data", "Target": "/data", "ReadOnly": True},
            {"Type": "volume", "Source": "cache", "Target": "/cache", "ReadOnly": False},
        ],
    }
    assert expected.items() <= body["HostConfig"].items()
    assert body["HostConfig"]["Tmpfs"] | {"/tmp": ""} == {"/scratch": "size=1g", "/var/run": "", "/tmp": ""}


def test_who_asks_for_disk_gets_a_tmp_on_disk():
    body = made_of(an_order(compute={"disk": "10GiB"}))
    assert body["Volumes"] == {"/tmp": {}}
    assert "/tmp" not in body["HostConfig"]["Tmpfs"]


def test_the_worker_is_started_whatever_the_image_starts():
    body = made_of(an_order())
    assert body["Entrypoint"] == ["py"]
    assert body["Cmd"] == ["-m", "platform_core.compute.worker"]
    assert body["Healthcheck"] == {"Test": ["NONE"]}


def test_variables_carry_the_step_its_time_and_what_the_order_says():
    order = an_order("the step", compute={"timeout": "2h"}, variables={"HOME": "/root", "A": "b=c"})
    assert environment(made_of(order)) == {
        "HEADRACE_STEP": "the step",
        "HEADRACE_STEP_TIMEOUT": "7200",
        "HEADRACE_STEP_GRACE": "7",
        "HOME": "/root",
        "A": "b=c",
        "PYTHONPATH": "/stand-in",
        "PYTHONUNBUFFERED": "1",
    }


def test_a_secret_is_in_the_environment_and_nowhere_else():
    body = made_of(an_order(secrets={"TOKEN": ""}), secrets={"TOKEN": "s3cr3t"})
    assert environment(body).pop("TOKEN") == "s3cr3t"
    del body["Env"]
    assert "s3cr3t" not in json.dumps(body)


def test_secrets_come_from_the_run_workers_variables_or_from_files(tmp_path):
    (tmp_path / "token").write_text("from a file\n")
    places = {"A": "", "B": "OTHER", "C": str(tmp_path / "token")}
    assert secret_values(places, {"A": "1", "OTHER": "2"}) == {"A": "1", "B": "2", "C": "from a file"}


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "The secret TOKEN is missing: the run's own process has no variable TOKEN."),
        ("OTHER", "The secret TOKEN is missing: the run's own process has no variable OTHER."),
        ("/is/not/there", "The secret TOKEN cannot be read from /is/not/there: No such file or directory."),
    ],
)
def test_a_secret_that_is_missing_is_named(place, sentence):
    with pytest.raises(HeadraceError) as error:
        secret_values({"TOKEN": place}, {})
    assert str(error.value) == sentence


def test_containers_of_other_runs_and_of_nobody_are_not_ours():
    order = an_order()
    labels = made_of(order)["Labels"]
    assert is_of(order, labels)
    assert is_of(order, labels | {"headrace/owner": "somebody who took over"})
    assert not is_of(order, {})
    assert not is_of(order, labels | {"headrace/run": "run-2"})
    assert not is_of(order, labels | {"headrace/namespace": "production"})
    assert not is_of(an_order(number=2), labels)
