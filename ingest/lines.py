"""Lines of a file of positions: plain or gzipped, bounded in size, whatever the bytes."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from ingest.rejects import OVERSIZE, TRUNCATED, Rejects

MAX_LINE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 17
"""Read at once: so little that what is decoded from it stays in the processor's cache (measured: twice as fast)."""
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines without their line ends, and the number of each (from 1)."""

    texts: list[bytes]
    numbers: list[int]


Stream = BufferedReader | gzip.GzipFile


def open_positions(source: BufferedReader) -> Stream:
    """Undo gzip where the stream begins with its magic bytes."""
    return gzip.GzipFile(fileobj=source) if source.peek(2)[:2] == GZIP_MAGIC else source


def _read(stream: Stream) -> tuple[bytes, str]:
    """Read a chunk, all that is left, or all that stands before a break; and what broke, if anything."""
    parts, size = [], 0
    try:
        while size < CHUNK_BYTES and (part := stream.read1(CHUNK_BYTES - size)):
            parts.append(part)
            size += len(part)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return b"".join(parts), str(error)
    return b"".join(parts), ""


def is_json(name: str, head: bytes) -> bool:
    """Tell NDJSON from CSV: by the file's name, else by its first byte."""
    suffixes = {suffix.lower() for suffix in Path(name).suffixes}
    if ".csv" in suffixes:
        return False
    return bool(suffixes & {".ndjson", ".jsonl", ".json"}) or head.lstrip()[:1] in (b"{", b"[")


def read_lines(stream: Stream, rejects: Rejects) -> Iterator[Lines]:
    """Read a stream in chunks of whole lines.

    A line longer than ``MAX_LINE_BYTES`` is counted and skipped without being held in memory; a
    broken gzip stream is counted and ends the reading, what stands before it is given out.
    """
    rest, skipping, number, more = b"", False, 1, True
    while more:
        chunk, broken = _read(stream)
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
