"""Bytes of a stream, plain or gzipped; of a gzip stream that breaks, all that stands before the break."""

import zlib
from collections.abc import Iterator
from typing import Protocol

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 1 << 14
"""Packed bytes unpacked at once: they may become a thousand times as many."""
PLAIN_BYTES = 1 << 16
"""Plain bytes read at once."""
_WITH_GZIP_HEADER = 31


class Source(Protocol):
    """What positions are read from: a file, a pipe."""

    def read(self, size: int, /) -> bytes:
        """Read this many bytes, or fewer at the end."""

    def read1(self, size: int, /) -> bytes:
        """Read what is there, up to this many bytes; nothing at the end."""


class Unzipped:
    """Reads a source and undoes gzip where it begins with the magic bytes.

    Attributes
    ----------
    broken : str
        Why the gzip stream cannot be read on; empty as long as it can.
    """

    def __init__(self, source: Source) -> None:
        self.broken = ""
        head = source.read(len(GZIP_MAGIC))
        self._parts = self._unpacked(source, head) if head == GZIP_MAGIC else self._plain(source, head)

    def read(self, size: int) -> bytes:
        """Read at least this many bytes; fewer only at the end, or where the stream is broken."""
        parts, count = [], 0
        while count < size and (part := next(self._parts, None)) is not None:
            parts.append(part)
            count += len(part)
        return b"".join(parts)

    def _plain(self, source: Source, head: bytes) -> Iterator[bytes]:
        while head:
            yield head
            head = source.read1(PLAIN_BYTES)

    def _unpacked(self, source: Source, packed: bytes) -> Iterator[bytes]:
        member = zlib.decompressobj(_WITH_GZIP_HEADER)
        while packed:
            before = member.copy()
            try:
                yield member.decompress(packed)
            except zlib.error as error:
                yield from _up_to_the_break(before, packed)
                self.broken = str(error)
                return
            if not member.eof:
                packed = source.read1(BLOCK_BYTES)
                continue
            packed = member.unused_data.lstrip(b"\0")
            while not packed:  # padding behind the last member is no break
                more = source.read1(BLOCK_BYTES)
                if not more:
                    return
                packed = more.lstrip(b"\0")
            member = zlib.decompressobj(_WITH_GZIP_HEADER)
        self.broken = "it ends too early"


def _up_to_the_break(member: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """Unpack byte by byte, so that what the failing byte did not produce is not lost."""
    try:
        for at in range(len(packed)):
            yield member.decompress(packed[at : at + 1])
    except zlib.error:
        return
