"""Whatever dies or gets lost, and whenever: no attempt is submitted twice."""

import pytest

from platform_core.compute.backends.batch.backend import BatchBackend
from tests.platform_core.compute.backends.batch.conftest import Make
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.pretended import Script
from tests.platform_core.compute.backends.batch.world import News, an_order, partitions


def test_launching_twice_starts_once_and_tells_an_end_that_was_told_again(
    double: Double, backend: BatchBackend, news: News
) -> None:
    order = an_order()
    backend.launch([order])
    backend.launch([order])
    assert news.ending(order).kind == "finished"
    assert news.states(order).count("ended") == 1
    backend.launch([order])
    news.until(lambda: news.states(order).count("ended") == 2)
    assert len(double.submitted) == 1


def test_another_run_worker_finds_what_runs_and_what_ended(double: Double, make: Make) -> None:
    double.plan = lambda request, index: Script(running=0 if index == 0 else 1.5, exit_code=3 if index == 0 else 0)
    orders = [*partitions(130), an_order("alone")]
    first = make()
    first.launch(orders)
    News(first).until(lambda: len(double.submitted) == 2)
    second = make()
    second.launch(orders)
    endings = News(second).endings(orders)
    assert [ending.kind for ending in endings] == ["failed"] + ["finished"] * 130
    assert len(double.submitted) == 2
    assert double.calls["listjobs"] == 1  # one listing for the whole run


def test_a_job_that_is_not_listed_yet_is_waited_for(double: Double, make: Make) -> None:
    """The run worker died between the submission and everything else."""
    double.listed_after = 0.7
    double.plan = lambda request, index: Script(running=2)
    orders = [*partitions(3), an_order("alone")]
    first = make()
    first.launch(orders)
    News(first).until(lambda: len(double.submitted) == 2)
    second = make(settle_seconds=3.0)
    second.launch(orders)
    assert {ending.kind for ending in News(second).endings(orders)} == {"finished"}
    assert len(double.submitted) == 2


def test_what_was_only_intended_is_submitted_by_the_next_run_worker(double: Double, make: Make) -> None:
    """The run worker died between the claim and the submission."""
    double.fault = lambda verb: "busy" if verb == "submitjob" else ""
    orders = [*partitions(3), an_order("alone")]
    first = make()
    first.launch(orders)
    News(first).until(lambda: double.calls["submitjob"] >= 2)
    first._changing.close()
    double.fault = lambda verb: ""
    second = make()
    second.launch(orders)
    assert {ending.kind for ending in News(second).endings(orders)} == {"finished"}
    assert len(double.submitted) == 2


def test_part_of_an_array_is_adopted_by_its_indexes(double: Double, make: Make) -> None:
    double.plan = lambda request, index: Script(running=1.0, exit_code=index)
    orders = partitions(6)
    first = make()
    first.launch(orders)
    News(first).until(lambda: len(double.submitted) == 1)
    second = make()
    second.launch([orders[5], orders[2]])
    endings = News(second).endings([orders[5], orders[2]])
    assert ["exit code 5" in endings[0].sentence, "exit code 2" in endings[1].sentence] == [True, True]


def test_ending_adopted_children_leaves_the_others_of_their_array(double: Double, make: Make) -> None:
    double.plan = lambda request, index: Script(running=60)
    orders = partitions(4)
    first = make()
    first.launch(orders)
    News(first).until(lambda: len(double.submitted) == 1)
    second = make()
    news = News(second)
    second.launch(orders[:2])
    news.until(lambda: len(news.changes) == 2)
    second.terminate([order.attempt for order in orders[:2]])
    assert {ending.kind for ending in news.endings(orders[:2])} == {"cancelled"}
    (array,) = double.arrays
    assert [job.status for job in double.arrays[array]] == ["FAILED", "FAILED", "RUNNING", "RUNNING"]


@pytest.mark.parametrize("fault", ["lost", "broken"])
def test_a_submission_whose_answer_was_an_error_is_not_repeated_blindly(
    double: Double, backend: BatchBackend, news: News, fault: str
) -> None:
    double.listed_after = 0.5
    double.fault = lambda verb: fault if verb == "submitjob" and double.calls["submitjob"] == 1 else ""
    order = an_order()
    backend.launch([order])
    assert news.ending(order).kind == "finished"
    assert len(double.submitted) == 1
    assert double.calls["submitjob"] == (1 if fault == "lost" else 2)


def test_a_job_with_the_name_of_ours_but_not_its_tags_is_nobodys(double: Double, make: Make) -> None:
    order = an_order()
    first = make()
    first.launch([order])
    News(first).ending(order)
    first._desk._files.clear()  # it did not tell anybody
    (job,) = double.jobs.values()
    job.request = {**job.request, "tags": {"headrace/job": "another"}}
    second = make()
    second.launch([order])
    assert News(second).ending(order).kind == "finished"
    assert len(double.submitted) == 2


def test_a_definition_with_the_name_of_ours_but_another_image_is_not_used(double: Double, make: Make) -> None:
    first = make()
    first.launch([an_order()])
    News(first).ending(an_order())
    double.definitions[0]["containerProperties"]["image"] = "evil/image"
    second = make()
    order = an_order(number=2)
    second.launch([order])
    assert News(second).ending(order).kind == "finished"
    assert double.submitted[1]["jobDefinition"] == double.definitions[1]["jobDefinitionArn"]
