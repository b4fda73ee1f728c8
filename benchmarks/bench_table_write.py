"""Writing and committing a gigabyte, against raw Parquet at the same codec and everybody who keeps versions."""

import subprocess
import sys

import polars as pl

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.peers import versioned_peers
from benchmarks.tables import Ours, mixed_table, raw_polars, raw_pyarrow, workplace

MOST_MB = 300
# In a process of its own, whose memory nothing else has raised before. The batches are made one by one.
STREAM = """
import resource, tempfile
from pathlib import Path
import pyarrow as pa
from benchmarks.peers import versioned_peers
from benchmarks.tables import ROWS, Ours, mixed_table
part = mixed_table(65_536)
batches = (batch for _ in range(ROWS // part.num_rows) for batch in part.to_batches())
with tempfile.TemporaryDirectory(dir={folder!r}) as folder:
    Ours(Path(folder)).write(pa.RecordBatchReader.from_batches(part.schema, batches))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> Comparison:
    with workplace() as folder:
        _hold_to_memory(str(folder))
        table = mixed_table()
        frame = pl.DataFrame(pl.from_arrow(table))
        ours, pyarrow, polars = Ours(folder), raw_pyarrow(folder, table), raw_polars(folder, frame)
        contenders = [
            Contender("headrace, pyarrow.Table", lambda: ours.replace(table)),
            Contender("headrace, polars.DataFrame", lambda: ours.replace(frame)),
            Contender("headrace, a stream", lambda: ours.replace(table.to_reader(max_chunksize=64 * 1024))),
            *(Contender(peer.name, peer.write) for peer in (pyarrow, polars, *versioned_peers(folder, table))),
        ]
        samples = interleaved(contenders)
    return Comparison(
        claim=f"Writing {table.nbytes / 1e9:.2f} GB durably and committing it is as quick as pyarrow's write_table",
        subject="headrace, pyarrow.Table",
        reference=pyarrow.name,
        target=1.0,
        samples=samples,
    )


def _hold_to_memory(folder: str) -> None:
    """Prints the most memory that a streamed write of the gigabyte took; it may not take 300 MB."""
    command = [sys.executable, "-c", STREAM.format(folder=folder)]
    kibibytes = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    most = kibibytes * 1024 / 1e6
    print(f"a streamed write took at most {most:.0f} MB of memory, Python and its libraries included")
    if most >= MOST_MB:
        raise BenchmarkError(f"A streamed write took {most:.0f} MB of memory, and not less than {MOST_MB}.")
