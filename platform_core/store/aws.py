"""What the variables of the AWS SDKs say, in the words of each library that reaches S3 here."""

import os
from typing import Any

_READ = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "ENDPOINT_URL")


def given_to_sdks() -> dict[str, str]:
    """What the variables say, without `AWS_`; the region always."""
    given = {name: os.environ[f"AWS_{name}"] for name in _READ if os.environ.get(f"AWS_{name}")}
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3"):
        given["ENDPOINT_URL"] = endpoint
    region = given.pop("DEFAULT_REGION", "us-east-1")
    given.setdefault("REGION", region)
    return given


def object_store_options() -> dict[str, str]:
    """For obstore and polars, which share a library. What is not named here they find as the SDKs do."""
    options = {f"aws_{name.lower()}": value for name, value in given_to_sdks().items()}
    if options.get("aws_endpoint_url", "").startswith("http://"):
        options["aws_allow_http"] = "true"
    return options


def arrow_filesystem() -> Any:
    """For pyarrow."""
    import pyarrow.fs

    given = given_to_sdks()
    scheme, _, endpoint = given.get("ENDPOINT_URL", "").rpartition("://")
    return pyarrow.fs.S3FileSystem(
        access_key=given.get("ACCESS_KEY_ID"),
        secret_key=given.get("SECRET_ACCESS_KEY"),
        session_token=given.get("SESSION_TOKEN"),
        region=given["REGION"],
        endpoint_override=endpoint or None,
        scheme=scheme or "https",
    )
