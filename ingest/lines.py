"""Lines of a file of positions: plain or gzipped, bounded in size, whatever the bytes."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from ingest.rejects import OVERSIZE, TRUNCATED, Rejects

MAX_LINE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines without their line ends, and the number of each (from 1)."""

    texts: list[bytes]
    numbers: list[int]


def open_positions(source: BufferedReader) -> BufferedReader:
    """Undo gzip where the stream begins with its magic bytes."""
    if source.peek(2)[:2] == GZIP_MAGIC:
        return BufferedReader(gzip.GzipFile(fileobj=source))
    return source


def is_json(name: str, head: bytes) -> bool:
    """Tell NDJSON from CSV: by the file's name, else by its first byte."""
    suffixes = {suffix.lower() for suffix in Path(name).suffixes}
    if ".csv" in suffixes:
        return False
    return bool(suffixes & {".ndjson", ".jsonl", ".json"}) or head.lstrip()[:1] in (b"{", b"[")


def read_lines(stream: BufferedReader, rejects: Rejects) -> Iterator[Lines]:
    """Read a stream in chunks of whole lines.

    A line longer than ``MAX_LINE_BYTES`` is counted and skipped without being held in memory; a
    broken gzip stream is counted and ends the reading, what stands before it is given out.
    """
    rest, skipping, number = b"", False, 1
    while True:
        try:
            chunk = stream.read1(CHUNK_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            rejects.add(number, TRUNCATED, f"the gzip stream ends or breaks here: {error}")
            chunk = rest = b""  # the line it breaks in may be cut in the middle of a number
        texts = (rest + chunk).split(b"\n")
        rest = texts.pop() if chunk else b""
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
        if texts:
            yield Lines(texts, numbers)
        if not chunk:
            return
