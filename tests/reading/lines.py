"""Lines of a file, plain or gzipped; formats.md §1: "Lines that are no fix, each counted by reason"."""

import zlib
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 16
LONGEST = 1 << 20  # "longer than 1 MiB; skipped without being held in memory"
OVERSIZE = "oversize"
TRUNCATED = "truncated"


def raw_lines(path: Path) -> Iterator[bytes | str]:
    """Every line as bytes without its newline, or the reason (text) why there is none."""
    head = b""
    skipping = False
    for chunk in chunks(path):
        if chunk is None:
            yield TRUNCATED  # the line that was cut is the one that is counted
            return
        lines = (head + chunk).split(b"\n")
        head = lines.pop()
        for line in lines:
            if skipping:
                skipping = False
            elif len(line) > LONGEST:
                yield OVERSIZE
            else:
                yield line
        if skipping:
            head = b""
        elif len(head) > LONGEST:
            yield OVERSIZE
            skipping, head = True, b""
    if head and not skipping:
        yield head


def chunks(path: Path) -> Iterator[bytes | None]:
    """The file's bytes, unpacked where it is gzipped; None where the gzip stream ends or breaks."""
    with path.open("rb") as file:
        first = file.read(CHUNK)
        if not first.startswith(b"\x1f\x8b"):
            while first:
                yield first
                first = file.read(CHUNK)
            return
        member = zlib.decompressobj(31)
        packed = first
        while packed:
            before = member.copy()
            try:
                yield member.decompress(packed)
            except zlib.error:
                yield up_to_the_break(before, packed)
                yield None
                return
            packed = member.unused_data if member.eof else b""
            if member.eof:
                packed = packed.lstrip(b"\0")
                while not packed:  # zero padding after the last member is no break
                    more = file.read(CHUNK)
                    if not more:
                        return
                    packed = more.lstrip(b"\0")
                member = zlib.decompressobj(31)
            else:
                packed = file.read(CHUNK)
        yield None


def up_to_the_break(member: "zlib._Decompress", packed: bytes) -> bytes:
    """What stands before the break, byte by byte."""
    out = b""
    try:
        for i in range(len(packed)):
            out += member.decompress(packed[i : i + 1])
    except zlib.error:
        pass
    return out
