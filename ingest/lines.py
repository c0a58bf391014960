"""Lines of a file of positions: plain or gzipped, bounded in size, whatever the bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.rejects import OVERSIZE, TRUNCATED, Rejects
from ingest.unzip import Source, Unzipped

MAX_LINE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 16
"""Read at once: so little that what is decoded from it stays in the processor's cache (measured: twice as fast)."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines without their line ends, and the number of each (from 1)."""

    texts: list[bytes]
    numbers: list[int]


def is_json(name: str, head: bytes) -> bool:
    """Tell NDJSON from CSV: by the file's name, else by its first byte."""
    suffixes = {suffix.lower() for suffix in Path(name).suffixes}
    if ".csv" in suffixes:
        return False
    return bool(suffixes & {".ndjson", ".jsonl", ".json"}) or head.lstrip()[:1] in (b"{", b"[")


def read_lines(source: Source, rejects: Rejects) -> Iterator[Lines]:
    """Read a source, plain or gzipped, in chunks of whole lines.

    A line longer than ``MAX_LINE_BYTES`` is counted and skipped without being held in memory; a
    broken gzip stream is counted and ends the reading, what stands before it is given out.
    """
    stream = Unzipped(source)
    rest, skipping, number, more = b"", False, 1, True
    while more:
        chunk = stream.read(CHUNK_BYTES)
        broken = stream.broken
        more = bool(chunk) and not broken
        texts = (rest + chunk).split(b"\n")
        rest = texts.pop() if more or broken else b""
        numbers = list(range(number, number + len(texts)))
        number += len(texts)
        if skipping and texts:
            texts, numbers, skipping = texts[1:], numbers[1:], False
        if skipping:
            rest = b""
        elif len(rest) > MAX_LINE_BYTES:
            rejects.add(number, OVERSIZE, f"longer than {MAX_LINE_BYTES} bytes: {rest[:60]!r}")
            rest, skipping = b"", True
        if texts and max(map(len, texts)) > MAX_LINE_BYTES:
            long = {at for at, text in enumerate(texts) if len(text) > MAX_LINE_BYTES}
            for at in sorted(long):
                rejects.add(numbers[at], OVERSIZE, f"longer than {MAX_LINE_BYTES} bytes: {texts[at][:60]!r}")
            numbers = [line for at, line in enumerate(numbers) if at not in long]
            texts = [text for at, text in enumerate(texts) if at not in long]
        if broken:  # the line it breaks in may be cut in the middle of a number
            rejects.add(number, TRUNCATED, f"the gzip stream ends or breaks here: {broken}")
        if texts:
            yield Lines(texts, numbers)
