"""A store in S3, or in anything that speaks its protocol."""

import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from platform_core.catalog.values import StoredFile, Version, is_version_id
from platform_core.errors import SettingsError, StoreError
from platform_core.settings import current_settings
from platform_core.store.aws import arrow_filesystem, object_store_options
from platform_core.store.checksums import checksum, checksum_of
from platform_core.store.mirror import current_mirror
from platform_core.store.names import moved_key
from platform_core.store.store import Remote, Store, corrupt

S = TypeVar("S")
T = TypeVar("T")

# Uploads and downloads are cut into blocks of this size, of which so many are under way at once.
BLOCK = 16 * 1024 * 1024
REQUESTS = 8
# Of one request. A server that is busy or away is asked again, with growing pauses.
TIMEOUT = "60s"
RETRIES: dict[str, Any] = {"max_retries": 6, "retry_timeout": timedelta(minutes=2)}
# Of a whole block: what breaks off in the middle is not tried again by the library.
ATTEMPTS = 3
ABANDONED_SECONDS = 24 * 3600


class S3Store(Store):
    """Objects below a prefix of a bucket. Endpoint, region and keys are found as the AWS SDKs find them."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = client_for(self._url)
        self._proven: set[str] = set()
        _remove_abandoned(current_settings().home / "staging")
        self._staged: dict[str, Path] = {}

    def uri(self, key: str) -> str:
        return f"{self._url}/{key}" if key else self._url

    def new_folder(self, key: str) -> Path:
        staging = current_settings().home / "staging"
        staging.mkdir(parents=True, exist_ok=True)
        self._staged[key] = Path(tempfile.mkdtemp(dir=staging))
        return self._staged[key]

    def seal(self, key: str) -> tuple[StoredFile, ...]:
        """Uploads the files of a folder, several at once, the large ones in parts."""
        folder = self._staged[key]
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        with ThreadPoolExecutor(REQUESTS) as pool:
            sealed = tuple(pool.map(lambda path: self._upload(path, f"{key}/{path.relative_to(folder)}"), paths))
        self._unstage(key)
        return sealed

    def _upload(self, path: Path, key: str) -> StoredFile:
        import obstore

        size = path.stat().st_size
        in_parts = size > BLOCK

        def put() -> Any:
            try:
                return obstore.put(
                    self._client, key, path, use_multipart=in_parts, chunk_size=BLOCK, max_concurrency=REQUESTS
                )
            except FileNotFoundError as error:  # the bucket, not the object
                raise self._unreachable(key, error) from error

        return StoredFile(key, size, checksum(path), self._ask(key, put)["e_tag"] or "")

    def adopt(self, version: Version, key: str) -> tuple[StoredFile, ...]:
        """The server copies them; large ones may get another ETag by that."""
        with ThreadPoolExecutor(REQUESTS) as pool:
            return tuple(pool.map(lambda file: self._copied(version, file, key), version.files))

    def _copied(self, version: Version, file: StoredFile, folder: str) -> StoredFile:
        import obstore

        key = moved_key(file.key, version.id, folder)
        self._prove(version, [file])
        with self._expecting(version, file):
            self._ask(key, lambda: obstore.copy(self._client, file.key, key))
        found = self._ask(key, lambda: obstore.head(self._client, key))
        return StoredFile(key, file.size, file.checksum, found["e_tag"] or "")

    def _unstage(self, key: str) -> None:
        if folder := self._staged.pop(key, None):
            shutil.rmtree(folder, ignore_errors=True)

    def discard(self, key: str) -> None:
        import obstore

        self._unstage(key)

        def delete() -> None:
            if found := [item["path"] for batch in obstore.list(self._client, f"{key}/") for item in batch]:
                obstore.delete(self._client, found)

        self._ask(key, delete)

    def version_folders(self) -> Iterator[tuple[str, datetime]]:
        import obstore

        newest: dict[str, datetime] = {}
        for item in self._ask("", lambda: list(chain.from_iterable(obstore.list(self._client)))):
            if folder := _version_folder(item["path"]):
                newest[folder] = max(item["last_modified"], newest.get(folder, item["last_modified"]))
        yield from newest.items()

    def verified_paths(self, version: Version) -> list[Path]:
        return current_mirror().paths(version, lambda file, path: self._download(version, file, path))

    def prove(self, version: Version) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for file in version.files:
                self._download(version, file, Path(folder, "file"))

    def copied_paths(self, version: Version) -> list[Path]:
        return self.verified_paths(version)

    def contents(self, versions: Sequence[Version]) -> Iterator[bytes]:
        """Downloads run ahead of whoever takes the files. Proving does not: a second thread that handles whole files
        makes the first one wait for pages of memory, twice as long as the proof takes."""
        wanted = [(version, file) for version in versions for file in version.files]
        tasks = ((version, file, block) for version, file in wanted for block in _blocks(file))
        with ThreadPoolExecutor(REQUESTS) as downloads:
            blocks = ahead(downloads, lambda task: self._block(*task), tasks, REQUESTS)
            for version, file in wanted:
                yield self._proven_content(version, file, blocks)

    def _proven_content(self, version: Version, file: StoredFile, blocks: Iterator[Any]) -> bytes:
        pieces = list(islice(blocks, len(_blocks(file))))
        if checksum_of(pieces) != file.checksum:
            raise corrupt(version, self.uri(file.key), "has another content than the one that was written")
        return b"".join(pieces)

    def _download(self, version: Version, file: StoredFile, path: Path) -> None:
        """The whole file, its blocks side by side."""
        with path.open("wb") as target, ThreadPoolExecutor(REQUESTS) as pool:
            blocks = _blocks(file)
            for block, content in zip(blocks, pool.map(lambda at: self._block(version, file, at), blocks), strict=True):
                os.pwrite(target.fileno(), content, block.start)
        if checksum(path) != file.checksum:
            raise corrupt(version, self.uri(file.key), "has another content than the one that was written")

    def _block(self, version: Version, file: StoredFile, block: range) -> Any:
        import obstore

        options: Any = {"if_match": file.etag} if file.etag else {}
        if len(block) < file.size:
            options["range"] = (block.start, block.stop)

        def get() -> Any:
            content = obstore.get(self._client, file.key, options=options).bytes()
            if len(content) != len(block):
                raise corrupt(version, self.uri(file.key), f"has another size than {file.size} bytes")
            return content

        with self._expecting(version, file):
            return self._ask(file.key, get)

    def remote(self, version: Version) -> Remote:
        """Proven by size and ETag, once per process: that costs a request per file, and none of its bytes."""
        unknown = [file for file in version.files if file.key not in self._proven]
        if unknown:
            self._prove(version, unknown)
        uris = tuple(self.uri(file.key) for file in version.files)
        return Remote(uris, object_store_options(), arrow_filesystem)

    def _prove(self, version: Version, files: Sequence[StoredFile]) -> None:
        import obstore

        for file in files:
            with self._expecting(version, file):
                found = self._ask(file.key, lambda key=file.key: obstore.head(self._client, key))  # type: ignore[misc]
            if found["size"] != file.size:
                raise corrupt(version, self.uri(file.key), f"has {found['size']} bytes instead of {file.size}")
            if file.etag and found["e_tag"] != file.etag:
                raise corrupt(version, self.uri(file.key), "has another content than the one that was written")
            self._proven.add(file.key)

    @contextmanager
    def _expecting(self, version: Version, file: StoredFile) -> Iterator[None]:
        """Says what is wrong with an object that was committed."""
        from obstore.exceptions import NotFoundError, PreconditionError

        try:
            yield
        except (FileNotFoundError, NotFoundError):
            raise corrupt(version, self.uri(file.key), "is missing") from None
        except PreconditionError:
            raise corrupt(version, self.uri(file.key), "has another content than the one that was written") from None

    def _ask(self, key: str, request: Callable[[], T]) -> T:
        """Makes a request; again when it broke off. A server that stays away is told of in a sentence."""
        from obstore.exceptions import BaseError, GenericError, NotFoundError, PreconditionError

        for attempt in range(ATTEMPTS):
            try:
                return request()
            except (FileNotFoundError, NotFoundError, PreconditionError):
                raise  # an answer, not a fault
            except (BaseError, OSError) as error:
                if _is_refusal(error):
                    raise self._refused(key) from error
                if attempt == ATTEMPTS - 1 or not isinstance(error, GenericError | OSError):
                    raise self._unreachable(key, error) from error
                time.sleep(0.2 * 2**attempt)
        raise AssertionError("every attempt returns or raises")

    def _refused(self, key: str) -> StoreError:
        return StoreError(
            f"{self.uri(key)} is refused to the keys that this process has, and nothing was changed. Look at the AWS_"
            " variables and HEADRACE_NAMESPACE; `headrace namespace grants NAMESPACE --s3` prints the policy it needs."
        )

    def _unreachable(self, key: str, error: Exception) -> StoreError:
        reason = str(error).partition("\n")[0][:300]
        return StoreError(
            f"{self.uri(key)} cannot be reached ({reason}). Nothing was changed: look at AWS_ENDPOINT_URL, the keys"
            " and their rights, and the state of the service, then run it again."
        )


def _is_refusal(error: Exception) -> bool:
    """Of lists and of deletions obstore knows the refusal only as a text."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    texts = ("status code: 401", "status code: 403", "code: AccessDenied")
    return isinstance(error, PermissionDeniedError | UnauthenticatedError) or any(text in str(error) for text in texts)


def _blocks(file: StoredFile) -> list[range]:
    return [range(start, min(start + BLOCK, file.size)) for start in range(0, file.size, BLOCK)]


def ahead(pool: ThreadPoolExecutor, work: Callable[[S], T], tasks: Iterable[S], most: int) -> Iterator[T]:
    """The results of tasks in their order, where at most so many are under way or wait to be taken."""
    under_way: deque[Future[T]] = deque()
    for task in tasks:
        under_way.append(pool.submit(work, task))
        if len(under_way) == most:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _remove_abandoned(staging: Path) -> None:
    """What killed processes were about to upload, after a day."""
    for folder in staging.iterdir() if staging.exists() else ():
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _version_folder(key: str) -> str | None:
    """The folder of the version that an object belongs to."""
    return next((str(folder) for folder in PurePosixPath(key).parents if is_version_id(folder.name)), None)


def client_for(url: str) -> Any:
    """A client for what lies below an s3:// URL, set up as the AWS SDKs are."""
    try:
        from obstore.store import from_url
    except ModuleNotFoundError:
        raise SettingsError(f"HEADRACE_STORE: '{url}' needs the package obstore; install headrace[s3].") from None
    config: Any = object_store_options()
    client: Any = {"timeout": TIMEOUT, "connect_timeout": "5s", "allow_http": "aws_allow_http" in config}
    config.pop("aws_allow_http", None)
    retries: Any = RETRIES
    try:
        return from_url(url, config=config, client_options=client, retry_config=retries)
    except Exception as error:
        raise SettingsError(f"HEADRACE_STORE: '{url}' cannot be used: {str(error).splitlines()[0]}") from error
