"""Whoever has the policy of a namespace is let, and refused, by a server that decides about each signed request.

moto's server looks at users, actions and resources, so the allowances of the policy are attacked for real here. It
takes a statement with `NotResource`, such as the policy's denial of all other prefixes, for a permission, so that this
one is left out here; `tests/platform_core/catalog/test_access.py` works out what it says. It does not look at the
condition on listings, and refuses to delete several objects in one request, whoever asks: they go one by one here.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from platform_core.catalog.access import s3_policy
from platform_core.catalog.values import Version
from platform_core.errors import StoreError
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import current_settings
from platform_core.store import s3
from platform_core.store.s3 import S3Store
from platform_core.store.store import Store
from platform_core.store.tables import as_polars
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.drafts import BRANCH

SMALL = pl.DataFrame({"a": [1, 2, 3]})
LARGE = pl.DataFrame({f"c{n}": pl.int_range(131_072, eager=True).hash(n) for n in range(8)})
NEIGHBOUR = Namespace("branch", "new-engine-2")


@pytest.fixture
def kept(s3_store: S3Store) -> dict[str, Version]:
    """What the administrator has put there."""
    return {
        str(owner): write_version(s3_store, SMALL, Target(owner, "flights/weather"))
        for owner in (PRODUCTION, NEIGHBOUR)
    }


@pytest.fixture
def keys(kept: dict[str, Version], s3_server: str, bucket: str) -> Iterator[dict[str, str]]:
    """The keys of a user with the policy; from here on the server decides."""
    import boto3

    iam, name = boto3.client("iam", "us-east-1", endpoint_url=s3_server), f"tess-{bucket}"
    policy = s3_policy(BRANCH, current_settings().store)
    policy["Statement"] = [statement for statement in policy["Statement"] if "NotResource" not in statement]
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="headrace", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    decide(s3_server, from_request="0")
    yield {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    decide(s3_server, from_request="inf")


def decide(server: str, from_request: str) -> None:
    headers = {"content-type": "text/plain"}
    urlopen(Request(f"{server}/moto-api/reset-auth", from_request.encode(), headers, method="POST")).close()


@pytest.fixture
def restricted(keys: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> S3Store:
    for name, value in keys.items():
        monkeypatch.setenv(name.upper(), value)
    return S3Store(current_settings().store)


def test_all_is_read(restricted: S3Store, kept: dict[str, Version]) -> None:
    for version in kept.values():
        for kind in (pl.DataFrame, pl.LazyFrame):
            assert_frame_equal(as_polars(read_versions(restricted, [version], kind)), SMALL)
        restricted.prove(version)


@pytest.mark.parametrize("value", [SMALL, LARGE, {"a": 1}], ids=["small", "in parts", "object"])
def test_ones_own_is_written_read_and_removed(value: Any, restricted: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "BLOCK", 5 * 1024 * 1024)
    version = write_version(restricted, value, Target(BRANCH, "flights/weather"))
    found = read_versions(restricted, [version])
    assert found.equals(value) if isinstance(value, pl.DataFrame) else found == value


def test_ones_own_is_removed(restricted: S3Store, keys: dict[str, str], s3_server: str) -> None:
    import boto3

    (file,) = write_version(restricted, SMALL, Target(BRANCH, "flights/weather")).files
    bucket, key = restricted.uri(file.key).removeprefix("s3://").split("/", 1)
    boto3.client("s3", endpoint_url=s3_server, **keys).delete_object(Bucket=bucket, Key=key)
    assert not any(file.key.startswith(key) for key in folders(restricted))


@pytest.mark.parametrize("owner", [PRODUCTION, NEIGHBOUR], ids=str)
@pytest.mark.parametrize("value", [SMALL, LARGE], ids=["small", "in parts"])
def test_nothing_is_written_elsewhere(
    owner: Namespace, value: pl.DataFrame, restricted: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "BLOCK", 5 * 1024 * 1024)
    before = folders(restricted)
    with pytest.raises(StoreError, match="is refused to the keys"):
        write_version(restricted, value, Target(owner, "flights/weather"))
    assert folders(restricted) == before


def folders(store: Store) -> list[str]:
    return sorted(key for key, _ in store.version_folders())


def upload_in_parts(client: Any, bucket: str, key: str) -> None:
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x")


ATTACKS: dict[str, Callable[[Any, str, str], object]] = {
    "overwrite": lambda client, bucket, key: client.put_object(Bucket=bucket, Key=key, Body=b"x"),
    "add": lambda client, bucket, key: client.put_object(Bucket=bucket, Key=f"{key}x", Body=b"x"),
    "delete": lambda client, bucket, key: client.delete_object(Bucket=bucket, Key=key),
    "copy over": lambda client, bucket, key: client.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/{key}"),
    "upload in parts": upload_in_parts,
    "give to all": lambda client, bucket, key: client.put_object_acl(Bucket=bucket, Key=key, ACL="public-read-write"),
    "tag": lambda client, bucket, key: client.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": []}),
    "change the policy": lambda client, bucket, _key: client.put_bucket_policy(Bucket=bucket, Policy="{}"),
    "expire": lambda client, bucket, _key: client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": [{"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}]},
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_other_client_gets_further(
    attack: str, keys: dict[str, str], kept: dict[str, Version], s3_store: S3Store, s3_server: str
) -> None:
    import boto3
    from botocore.exceptions import ClientError

    client: Any = boto3.client("s3", endpoint_url=s3_server, **keys)
    version = kept["production"]
    bucket, key = s3_store.uri(version.files[0].key).removeprefix("s3://").split("/", 1)
    with pytest.raises(ClientError, match="AccessDenied"):
        ATTACKS[attack](client, bucket, key)
    decide(s3_server, from_request="inf")
    s3_store.prove(version)
    assert len(folders(s3_store)) == len(kept)
