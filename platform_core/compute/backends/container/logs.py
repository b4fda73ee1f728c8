"""The end of what a container printed, fit to be shown."""

from collections.abc import Iterable

LINES = 100
BYTES = 16_384
MASK = "***"


def tail(chunks: Iterable[bytes], secrets: Iterable[str] = ()) -> str:
    """The last lines of a log of any length and of any bytes, with every secret masked."""
    hidden = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    margin = max((len(secret.encode()) for secret in hidden), default=0)
    kept, is_cut = _last_bytes(chunks, 4 * BYTES + margin)
    text = kept.decode(errors="replace")
    for secret in hidden:
        text = text.replace(secret, MASK)
    # What a cut left of a secret at the very beginning is no longer recognised, hence dropped.
    return _last_lines(text[margin:] if is_cut else text)


def _last_bytes(chunks: Iterable[bytes], most: int) -> tuple[bytes, bool]:
    kept, total = bytearray(), 0
    for chunk in chunks:
        total += len(chunk)
        kept += chunk[-most:]
        del kept[:-most]
    return bytes(kept), total > most


def _last_lines(text: str) -> str:
    lines = text.splitlines(keepends=True)[-LINES:]
    encoded = "".join(lines).encode()
    if len(encoded) <= BYTES:
        return encoded.decode()
    cut = encoded[-BYTES:]
    _, newline, rest = cut.partition(b"\n")
    return (rest if newline and rest else cut).decode(errors="ignore")
