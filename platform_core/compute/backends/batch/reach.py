"""Whether the job queue is there and takes jobs."""

from platform_core.errors import HeadraceError


def reach(queue: str) -> str:
    """What answers, as a sentence.

    Raises:
        HeadraceError: AWS does not, the queue is not there, or takes no jobs.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    if not queue:
        raise HeadraceError("No queue is named: set HEADRACE_BATCH_QUEUE.")
    try:
        found = boto3.client("batch").describe_job_queues(jobQueues=[queue])["jobQueues"]
    except (BotoCoreError, ClientError) as error:
        raise HeadraceError(f"AWS Batch does not answer: {error}") from error
    if not found:
        raise HeadraceError(f"AWS Batch has no queue {queue}.")
    if found[0]["state"] != "ENABLED" or found[0]["status"] != "VALID":
        raise HeadraceError(f"The queue {queue} takes no jobs: it is {found[0]['state']} and {found[0]['status']}.")
    return f"The queue {queue} takes jobs."
