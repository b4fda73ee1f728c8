"""Which orders become which jobs, and under which names."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.attempts import Attempt
from platform_core.compute.backends.batch.names import JOB_TAG, as_tags, job_name, run_name
from platform_core.compute.backends.batch.options import Options
from platform_core.compute.backends.batch.submissions import Deployment, submissions_of
from platform_core.compute.profiles import Profile
from tests.platform_core.compute.backends.batch.rules import ClientException, check_definition, check_job
from tests.platform_core.compute.backends.batch.world import LABELS, an_order, partitions

DEPLOYMENT = Deployment(Options(queue="queue"), "an/image", ("python", "-m", "worker"))


def test_partitions_that_were_ordered_a_second_apart_are_alike() -> None:
    orders = [an_order(partition=str(second), labels={**LABELS, "expires": str(second)}) for second in range(5)]
    (submission,), refused = submissions_of(orders, DEPLOYMENT)
    assert (len(submission.orders), refused) == (5, [])


def test_arrays_are_cut_at_the_largest_and_a_rest_of_one_is_a_job() -> None:
    submissions, _ = submissions_of(partitions(7), replace(DEPLOYMENT, largest_array=3))
    assert [len(submission.orders) for submission in submissions] == [3, 3, 1]
    assert [submission.is_array for submission in submissions] == [True, True, False]
    submissions, _ = submissions_of(partitions(3), replace(DEPLOYMENT, largest_array=1))
    assert len(submissions) == 3


def test_the_same_step_of_other_variables_or_runs_is_another_job() -> None:
    orders = [
        an_order(partition="a"),
        an_order(partition="b", variables={"OTHER": "x"}),
        replace(an_order(), attempt=Attempt("run-2", "delays", partition="c")),
        an_order(partition="d", profile=Profile(options={"queue": "other"})),
        an_order(),
    ]
    assert len(submissions_of(orders, DEPLOYMENT)[0]) == 5


def test_a_definition_says_whose_it_is_so_that_no_other_team_may_use_its_role() -> None:
    orders = [an_order(labels={**LABELS, "location": name}) for name in ("flights", "airports")]
    definitions = [submissions_of([order], DEPLOYMENT)[0][0].definition for order in orders]
    assert [one["tags"]["location"] for one in definitions] == ["flights", "airports"]
    assert {one["tags"]["namespace"] for one in definitions} == {LABELS["namespace"]}
    assert len({one["jobDefinitionName"] for one in definitions}) == 2


def test_what_differs_between_definitions_is_in_their_names() -> None:
    orders = [
        an_order(),
        an_order("other", "a partition"),
        an_order(profile=Profile(options={"job_role_arn": "arn:aws:iam::1:role/r"})),
        an_order(profile=Profile(options={"shared_memory": "1GiB"})),
        an_order(profile=Profile(options={"log_group": "/ours"})),
    ]
    names = [submissions_of([order], DEPLOYMENT)[0][0].definition["jobDefinitionName"] for order in orders]
    assert names[0] == names[1]
    assert len(set(names)) == 4
    (submission,), _ = submissions_of([an_order()], replace(DEPLOYMENT, image="other"))
    assert submission.definition["jobDefinitionName"] not in names


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"platform": "FARGATE", "execution_role_arn": "arn:aws:iam::1:role/e", "public_ip": True},
        {"share_identifier": "team", "scheduling_priority": 0},
        {"shared_memory": "1GiB", "log_group": "/ours"},
    ],
)
def test_batch_takes_what_is_asked_of_it(options: dict[str, object]) -> None:
    order = an_order(profile=Profile(options=options), payload="x" * 9000)
    (submission,), _ = submissions_of([order], DEPLOYMENT)
    check_definition(submission.definition)
    share = {"schedulingPolicyArn": "arn"} if "share_identifier" in options else {}
    request = submission.request("arn", "s3://bucket/key")
    check_job(request, submission.definition, {"state": "ENABLED", "jobQueueName": "queue", **share})
    assert request.get("schedulingPriorityOverride") == options.get("scheduling_priority")


def test_reserved_variables_and_missing_settings_are_refused() -> None:
    said = {
        "AWS_BATCH_JOB_ID cannot be set": (an_order(variables={"AWS_BATCH_JOB_ID": "x"}), DEPLOYMENT),
        "No job queue is known": (an_order(), replace(DEPLOYMENT, options=Options())),
        "No image is known": (an_order(), replace(DEPLOYMENT, image="")),
    }
    for sentence, (order, deployment) in said.items():
        _, ((_, reason),) = submissions_of([order], deployment)
        assert sentence in str(reason)


@given(st.lists(st.tuples(st.text(min_size=1), st.text(), st.integers(1, 99)), min_size=1, max_size=5))
def test_names_are_what_batch_takes(attempts: list[tuple[str, str, int]]) -> None:
    made = [Attempt("run", step, number, partition) for step, partition, number in attempts]
    name = job_name(made)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", name)
    assert name.startswith(run_name("run") + "-")


@given(st.dictionaries(st.text(min_size=1, max_size=300), st.text(max_size=500), max_size=60))
def test_tags_are_what_batch_takes(labels: dict[str, str]) -> None:
    (submission,), _ = submissions_of([an_order(labels=labels)], DEPLOYMENT)
    request = submission.request("arn", "s3://bucket/key")
    try:
        check_job(request, submission.definition, {"state": "ENABLED", "jobQueueName": "queue"})
    except ClientException as error:
        pytest.fail(str(error))
    assert as_tags(labels, "job")[JOB_TAG] == "job"
