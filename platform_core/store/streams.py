"""Streams of record batches to Parquet files, of which several are written at once and little is held."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Semaphore
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.store.layout import group_rows, part_name, writer_options

# A stream has one order, so that two files can only be written at once when the stream runs ahead by one file: hence
# files of few row groups, and one file and a bit in memory (56 MB).
GROUPS_IN_A_FILE = 6
GROUPS_IN_MEMORY = 7
GROUP_BYTES = 8 * 1024 * 1024


def row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of a stream as tables of one row group each, however many rows the batches have."""
    pending: list[pa.RecordBatch] = []
    wanted = missing = 0
    for batch in batches:
        wanted = wanted or (group_rows(batch.nbytes, batch.num_rows, GROUP_BYTES) if batch.num_rows else 0)
        missing = missing or wanted
        rest = batch
        while rest.num_rows:
            pending.append(rest.slice(0, missing))
            rest = rest.slice(missing)
            missing -= pending[-1].num_rows
            if not missing:
                yield pa.Table.from_batches(pending, schema)
                pending, missing = [], wanted
    if pending:
        yield pa.Table.from_batches(pending, schema)


def write_stream(reader: pa.RecordBatchReader, folder: Path) -> None:
    """Writes a stream as files whose names sort in the order of its rows."""
    groups = row_groups(reader, reader.schema)
    first = list(islice(groups, 1)) or [reader.schema.empty_table()]
    writing = _Writing(folder, reader.schema, writer_options(first[0]))
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        try:
            writing.feed(pool, chain(first, groups))
        finally:
            writing.end_file()
    for file in writing.files:
        file.result()


class _Writing:
    """One stream on its way into files. Each file is written by a task that takes its row groups from a queue."""

    def __init__(self, folder: Path, schema: pa.Schema, options: dict[str, Any]) -> None:
        self._folder, self._schema, self._options = folder, schema, options
        self._room = Semaphore(GROUPS_IN_MEMORY)
        self._failed = Event()
        self._queue: SimpleQueue[pa.Table | None] = SimpleQueue()
        self.files: list[Future[None]] = []

    def feed(self, pool: ThreadPoolExecutor, groups: Iterator[pa.Table]) -> None:
        for number, group in enumerate(groups):
            if number % GROUPS_IN_A_FILE == 0:
                self.end_file()
                self._queue = SimpleQueue()
                path = self._folder / part_name(len(self.files))
                self.files.append(pool.submit(self._write_file, path, self._queue))
            self._room.acquire()
            if self._failed.is_set():
                return
            self._queue.put(group)

    def end_file(self) -> None:
        self._queue.put(None)

    def _write_file(self, path: Path, queue: "SimpleQueue[pa.Table | None]") -> None:
        try:
            with pq.ParquetWriter(path, self._schema, **self._options) as writer:
                while (group := queue.get()) is not None:
                    writer.write_table(group, row_group_size=max(1, group.num_rows))
                    self._room.release()
        except BaseException:
            self._failed.set()
            self._room.release()  # whoever waits for room shall see that it failed
            raise
