"""Containers for real, in the engine at DOCKER_HOST."""

import os
import socket
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from platform_core.compute.attempts import Ending, Order
from platform_core.compute.backends.backend import Leftover
from platform_core.compute.backends.container.backend import ContainerBackend
from platform_core.compute.backends.container.endings import CANCELLED
from platform_core.compute.backends.container.specification import ATTEMPT_LABEL
from platform_core.compute.foreign import explained
from platform_core.compute.placement import Placement
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from platform_core.errors import DefinitionError, SettingsError
from tests.platform_core.compute.backends.container.orders import Heard, an_order
from tests.platform_core.compute.support.images import IMAGE, VARIABLES, VOLUMES

UNKNOWN = "localhost/headrace/missing:1"
EAT = "x = bytearray(300 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\n"
CHILD_EATS = f"pid = os.fork()\nif pid == 0: exec({EAT!r})\nkilled = os.waitpid(pid, 0)[1] == 9\n"
SLEEP = "import signal, time\nsignal.signal(15, lambda *_: os._exit(143))\nprint('asleep')\ntime.sleep(100)"
UNTIL_SIGNAL = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready")
signal.sigwait([signal.SIGUSR1])
os._exit(4)
"""
DEAF = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(100)"


def names(engine: Any) -> set[str]:
    return {name.lstrip("/") for item in engine.containers(all=True) for name in item["Names"]}


def started(engine: Any, order: Order) -> bool:
    found = engine.containers(all=True, filters={"name": order.attempt.id})
    return bool(found) and found[0]["State"] != "created"


def made_for(order: Order, engine: Any, *command: str, run: str = "") -> None:
    """A container as an earlier run worker might have left it, before it was started."""
    labels = dict(order.labels) | {ATTEMPT_LABEL: order.attempt.id}
    labels |= {"headrace/run": run} if run else {}
    body = {"Image": IMAGE, "Cmd": list(command), "Labels": labels}
    engine.create_container_from_config(body, order.attempt.id)


def test_each_step_ends_in_its_own_way_with_what_it_printed_last(heard: Heard):
    fine = an_order("print('fine')", step="fine")
    said: dict[str, tuple[str, dict[str, Any], tuple[str, str, str]]] = {
        "badly": ("print('oh')\nos._exit(3)", {}, ("failed", "exit code 3", "oh\n")),
        "crash": ("import ctypes\nprint('oh')\nctypes.string_at(0)", {}, ("failed", "SIGSEGV", "oh\n")),
        "large": (f"print('oh')\n{EAT}", {"memory": "64MiB"}, ("memory", "64 MiB of 64 MiB", "oh\n")),
        "killed": ("os._exit(137)", {"memory": "64MiB"}, ("vanished", "within its own 64 MiB", "")),
        "late": ("os._exit(124)", {"timeout": "2s"}, ("timeout", "longer than 2 s", "")),
    }
    orders = {step: an_order(payload, step=step, compute=compute) for step, (payload, compute, _) in said.items()}
    heard.launch(fine, *orders.values())
    assert heard.ending(fine) == Ending("finished")
    for step, order in orders.items():
        told, (kind, words, log) = heard.ending(order), said[step][2]
        assert (told.kind, told.log) == (kind, log)
        assert words in told.sentence
        assert heard.states(order) == ["running", "ended"]


def test_what_is_past_its_time_is_removed_whoever_made_it_unless_it_runs(heard: Heard, engine):
    old, new, running, nameless = orders = [an_order(SLEEP, step=step) for step in ("old", "new", "runs", "says")]
    for order, expires in zip(orders, ("100", "300", "100", None), strict=True):
        labels = dict(order.labels) | ({"expires": expires} if expires else {})
        made_for(replace(order, labels=labels), engine, "python3", "-c", SLEEP)
    engine.start(running.attempt.id)
    engine.start(old.attempt.id)
    engine.kill(old.attempt.id)
    assert set(heard.backend.sweep(200.0, dry_run=True)) == set(heard.backend.sweep(200.0))
    assert names(engine) & {order.attempt.id for order in orders} == {
        one.attempt.id for one in (new, running, nameless)
    }
    assert Leftover(running.attempt.id, runs=True) in heard.backend.sweep(200.0)


def test_a_worker_that_outlives_the_process_killed_for_memory_tells_so_too(heard: Heard):
    first, second = (
        an_order(f"{CHILD_EATS}os._exit({code} if killed else 1)", step=f"step_{code}", compute={"memory": "64MiB"})
        for code in (137, 0)
    )
    heard.launch(first, second)
    assert heard.ending(first).kind == "memory"
    assert heard.ending(second).kind == "finished"
    sentences = [change.sentence for change in heard.changes if change.attempt == second.attempt]
    assert "A process of the step was killed for memory at 64 MiB of 64 MiB; the step itself goes on." in sentences


def test_what_a_step_may_not_do_it_cannot_and_what_it_needs_it_can(heard: Heard):
    payload = """
import errno
def refused(path):
    try: open(path, "w")
    except OSError as error: return error.errno in (errno.EROFS, errno.EACCES)
assert os.getuid() != 0 or os.stat("/stand-in").st_uid == 0, os.getuid()
assert refused("/x") and refused("/stand-in/x")
assert os.environ["HOME"] == "/tmp"
open("/tmp/x", "w").write("x")
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
assert status["NoNewPrivs"].strip() == "1" and int(status["CapEff"], 16) == 0, status
"""
    assert heard.end_of(payload) == Ending("finished")


def test_what_a_step_writes_into_a_folder_belongs_to_whom_the_folder_belongs_to(new_backend, tmp_path):
    tmp_path.chmod(0o700)
    backend = new_backend(mounts=[f"{tmp_path}:/data"])
    assert backend.end_of("open('/data/x', 'w').write('x')").kind == "finished"
    assert (tmp_path / "x").stat().st_uid == tmp_path.stat().st_uid


def test_disk_that_was_asked_for_is_not_memory(heard: Heard, engine):
    payload = "f = open('/tmp/x', 'wb')\nfor _ in range(100): f.write(bytes(1 << 20))\nprint(os.stat('/tmp').st_mode)"
    assert heard.end_of(payload, compute={"memory": "64MiB", "disk": "1GiB"}, step="on_disk").kind == "finished"
    assert heard.end_of(payload, compute={"memory": "64MiB"}, step="in_memory").kind == "memory"


def test_limits_of_processors_and_processes_hold(new_backend):
    backend = new_backend(options={"pids": 10})
    payload = "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(1,)).start()"
    ending = backend.end_of(payload)
    assert (ending.kind, "can't start new thread" in ending.log) == ("failed", True)


def test_logs_may_be_large_and_of_any_bytes(heard: Heard):
    payload = """
for number in range(50_000): os.write(1, b"line %d\\n" % number)
os.write(1, "\\u00fcber \\u6f22".encode() + b" \\xff\\n")
os._exit(1)
"""
    log = heard.end_of(payload).log
    assert log.endswith("line 49999\nüber 漢 �\n")
    assert len(log.splitlines()) == 100


def test_one_endless_line_is_cut(heard: Heard):
    log = heard.end_of("for _ in range(2000): os.write(1, b'x' * 10_000)\nos._exit(1)").log
    assert set(log) == {"x"}
    assert len(log) == 16_384


def test_a_secret_arrives_and_is_seen_nowhere(heard: Heard, engine, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_TESS", "hunter2 ü")
    payload = "print(os.environ['TOKEN'])\nimport time\ntime.sleep(1)\nraise ValueError(os.environ['TOKEN'])"
    order = an_order(payload, secrets={"TOKEN": "TOKEN_OF_TESS"})
    heard.launch(order)
    heard.until_running(order)
    inspected = engine.inspect_container(order.attempt.id)
    assert "TOKEN=hunter2 ü" in inspected["Config"].pop("Env")
    assert "hunter2" not in str(inspected)
    ending = heard.ending(order)
    assert "***\n" in ending.log
    assert "ValueError: ***" in ending.log
    assert "hunter2" not in str(heard.changes)


def test_a_launch_twice_is_one_container_and_one_end(heard: Heard, engine):
    order = an_order("print('once')")
    heard.launch(order, order)
    heard.launch(order)
    assert heard.ending(order).kind == "finished"
    assert heard.states(order) == ["running", "ended"]
    heard.launch(order)
    heard.until(lambda: heard.states(order) == ["running", "ended", "ended"])


def test_containers_are_removed_once_their_end_was_told(heard: Heard, engine):
    first, second = an_order("1", step="one"), an_order("2", step="two")
    heard.launch(first)
    assert heard.ending(first).kind == "finished"
    assert first.attempt.id in names(engine)  # a run worker that died at this moment would be asked again
    heard.until(lambda: first.attempt.id not in names(engine))
    heard.launch(second)
    heard.ending(second)
    heard.backend.close()
    assert second.attempt.id not in names(engine)


def test_another_run_worker_takes_charge_of_what_runs_and_of_what_ended(new_backend, engine):
    before, after = new_backend(), new_backend()
    running = an_order(UNTIL_SIGNAL, step="running")
    done = an_order("print('early')\nos._exit(5)", step="done")
    large = an_order(CHILD_EATS + "os._exit(137)", step="large", compute={"memory": "64MiB"})
    before.launch(running, done, large)
    while not all(started(engine, order) for order in (running, done, large)):
        time.sleep(0.1)  # and the first backend is never asked what became of them, as if it had died
    engine.wait(done.attempt.id)
    engine.wait(large.attempt.id)
    after.launch(running, done, large)
    assert (after.ending(done).kind, after.ending(done).log) == ("failed", "early\n")
    assert after.ending(large).kind == "memory"
    after.until_running(running)
    after.until(lambda: b"ready" in engine.logs(running.attempt.id))
    engine.kill(running.attempt.id, "SIGUSR1")
    assert (after.ending(running).kind, after.ending(running).log) == ("failed", "ready\n")


def test_what_was_made_but_never_started_is_started(heard: Heard, engine):
    order = an_order("os._exit(6)")
    made_for(order, engine, "sh", "-c", "exit 7")
    heard.launch(order)
    assert "exit code 7" in heard.ending(order).sentence


def test_a_container_of_somebody_else_with_that_name_is_left_alone(heard: Heard, engine):
    order = an_order("print('mine')")
    made_for(order, engine, "true", run="somebody else's" + order.labels["headrace/run"])
    heard.launch(order)
    assert heard.ending(order).kind == "refused"
    assert "which is not of this run: remove it" in heard.ending(order).sentence
    heard.backend.changes()
    heard.backend.close()
    assert engine.inspect_container(order.attempt.id)["State"]["Status"] == "created"


def test_cancelled_steps_end_at_once_or_by_force(heard: Heard, engine):
    asleep, deaf = an_order(SLEEP, step="asleep"), an_order(DEAF, step="deaf")
    heard.launch(asleep, deaf)
    heard.until_running(asleep)
    heard.until_running(deaf)
    heard.until(lambda: b"asleep" in engine.logs(asleep.attempt.id))
    begin = time.monotonic()
    heard.backend.terminate([asleep.attempt, deaf.attempt, an_order(step="never seen").attempt])
    assert heard.ending(asleep) == Ending("cancelled", CANCELLED.sentence, "asleep\n")
    assert time.monotonic() - begin < 4
    assert heard.ending(deaf).kind == "cancelled"


def test_a_step_that_is_cancelled_while_it_is_launched_does_not_run(heard: Heard):
    orders = [an_order(SLEEP, step=f"step_{number}") for number in range(10)]
    heard.launch(*orders)
    heard.backend.terminate([order.attempt for order in orders])
    assert {heard.ending(order).kind for order in orders} == {"cancelled"}


def test_what_others_do_to_a_container_is_told_apart_from_what_it_does(heard: Heard, engine):
    killed, stopped, removed = (an_order(SLEEP, step=step) for step in ("killed", "stopped", "removed"))
    heard.launch(killed, stopped, removed)
    for order in (killed, stopped, removed):
        heard.until_running(order)
        heard.until(lambda: b"asleep" in engine.logs(order.attempt.id))  # noqa: B023
    engine.kill(killed.attempt.id)
    engine.stop(stopped.attempt.id)
    engine.remove_container(removed.attempt.id, force=True)
    assert {heard.ending(order).kind for order in (killed, stopped, removed)} == {"vanished"}
    assert "signal 9" in heard.ending(killed).sentence
    assert "signal 15" in heard.ending(stopped).sentence


def with_options(**options: Any) -> dict[str, Any]:
    return {"profile": {"options": options}}


REFUSED = {
    "no image": ({"compute": {"image": UNKNOWN}}, f"{UNKNOWN} is not in the container engine and it cannot be fetched"),
    "no fetching": ({"compute": {"image": UNKNOWN}} | with_options(pull=False), "fetching is off"),
    "no gpu": ({"compute": {"gpu": 1}}, "It asks for 1 gpu"),
    "too many processors": ({"compute": {"cpu": 4000}}, "It asks for 4000 cpu"),
    "too much memory": ({"compute": {"memory": "900TiB"}}, "It asks for 900 TiB of memory"),
    "too little memory": ({"compute": {"memory": "1MiB"}}, "It asks for less memory than a container can have"),
    "no folder": (with_options(volumes=["/is/not/there:/x"]), "The folder /is/not/there of its volumes does not exist"),
    "no network": (with_options(network="nowhere"), "has no network 'nowhere'"),
    "no user": (with_options(user="tess"), "has no user 'tess'"),
    "no option": (with_options(volume=[]), "Did you mean volumes?"),
    "no secret": ({"secrets": {"NOT_THERE": ""}}, "The secret NOT_THERE is missing"),
}


def test_what_can_never_start_is_refused_with_a_sentence_and_leaves_nothing(heard: Heard, engine):
    orders = {step: an_order("print(1)", step=step, **said) for step, (said, _) in REFUSED.items()}
    heard.launch(*orders.values())
    for step, order in orders.items():
        ending = heard.ending(order)
        assert (ending.kind, REFUSED[step][1] in ending.sentence) == ("refused", True), ending
        assert ending.sentence.endswith((".", "?"))
    assert not {order.attempt.id for order in orders.values()} & names(engine)


def test_an_image_without_the_interpreter_is_named(new_backend):
    assert "has no interpreter 'python9'" in new_backend(python="python9").end_of("print(1)").sentence


def test_many_steps_at_once_all_end(heard: Heard):
    orders = [an_order("print(1)", step=f"step_{number}") for number in range(30)]
    heard.launch(*orders)
    assert {heard.ending(order).kind for order in orders} == {"finished"}


def test_the_real_worker_starts_in_the_image(engine):
    heard = Heard(ContainerBackend(IMAGE, mounts=VOLUMES, options={"network": "none"}))
    ending = heard.end_of("no payload at all", variables=VARIABLES)
    heard.backend.close()
    assert (ending.kind, "exit code 1" in ending.sentence) == ("failed", True)
    assert "unpack" in ending.log


# Without an engine: these run everywhere.


def test_making_a_backend_reaches_for_nothing_and_refuses_what_cannot_be():
    backend = ContainerBackend("rides:1", engine="tcp://is.not.there:1")
    backend.close()
    assert backend.changes() == []
    with pytest.raises(DefinitionError, match="write host:container"):
        ContainerBackend("rides:1", mounts=["/data"])
    with pytest.raises(DefinitionError, match="no option 'net'"):
        ContainerBackend("rides:1", options={"net": "host"})


def end_with(**said: Any) -> Ending:
    heard = Heard(ContainerBackend(**said))
    ending = heard.end_of("print(1)")
    heard.backend.close()
    return ending


def test_an_engine_that_is_not_there_is_a_sentence(tmp_path, monkeypatch):
    ending = end_with(image="rides:1", engine=f"unix://{tmp_path}/docker.sock")
    assert ending.kind == "refused"
    assert ending.sentence.startswith(f"No container engine listens at unix://{tmp_path}/docker.sock: start it")


def test_a_port_that_nobody_listens_at_is_a_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    assert end_with(image="rides:1", engine=address).sentence.startswith(f"No container engine listens at {address}")


def test_an_address_of_no_known_kind_is_a_sentence():
    ending = end_with(image="rides:1", engine="carrier-pigeon://x")
    assert (ending.kind, "carrier-pigeon://x" in ending.sentence) == ("refused", True)


def test_no_engine_anywhere_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if os.path.exists("/var/run/docker.sock") or os.path.exists("/run/podman/podman.sock"):
        pytest.skip("an engine listens at its default socket here")
    assert end_with(image="rides:1").sentence.startswith("There is no container engine here: DOCKER_HOST is not set")


@pytest.mark.skipif(os.getuid() == 0, reason="root may use every socket")
def test_a_socket_without_permission_is_a_sentence(tmp_path):
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0)
        assert "may not use the container engine" in end_with(image="rides:1", engine=f"unix://{tmp_path}/s").sentence


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(SettingsError, match=r"add headrace\[container\] to the dependencies"):
        ContainerBackend("rides:1")


def test_an_image_without_the_platform_inside_is_one_sentence(engine):
    placement = Placement("container", Compute(image=IMAGE), Profile(), "a test says so")
    heard = Heard(ContainerBackend(grace=1, options={"network": "none"}))
    told = explained(heard.end_of("", compute={"image": IMAGE}, step="foreign"), placement)
    assert told == Ending("refused", told.sentence)
    assert told.sentence.startswith(f"The image {IMAGE} has no platform inside, so that no step starts in it; use one")
    heard.backend.close()


def test_an_image_is_found_by_what_was_built_too(new_backend, engine):
    content = engine.inspect_image(IMAGE)["Id"]
    assert new_backend().end_of("print(1)", compute={"image": content}, step="by_content") == Ending("finished")


def test_what_was_built_and_removed_is_not_looked_for_in_a_registry(new_backend):
    content = f"sha256:{'0' * 64}"
    assert new_backend().end_of("", compute={"image": content}, step="removed") == Ending(
        "refused",
        f"The image {content} is no longer in the container engine that built it: build it again with headrace image"
        " build.",
    )
