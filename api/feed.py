"""Feed: a file of positions into the log, line by line as it stands, each to its vehicle's partition."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from api.pauses import Pauses
from ingest.csvlines import csv_decoder
from ingest.formats import Rows, from_first_text
from ingest.jsonlines import json_decoder
from ingest.lines import Lines, is_json, read_lines
from ingest.log import CSV, MOST_FRAME_BYTES, POSITIONS, Log, LogError, NewFrame, partition_of
from ingest.profile import DEFAULT, Profile
from ingest.registry import Vehicles
from ingest.rejects import OVERSIZE, Rejects
from ingest.unzip import Source

FRAME_BYTES = 64 << 10
"""Lines are put into frames of about this size [B]."""

WAITING_BYTES = 1 << 20
"""Lines are appended when so many have come together [B]."""


MOST_HEADER_BYTES = 8 << 10
"""Longest header line of a CSV file: each frame has a copy of it [B]."""


@dataclass(slots=True)
class Fed:
    """What has been fed.

    Attributes
    ----------
    lines, frames : int
        That the log has.
    rejects : Rejects
        Lines that could not even be passed on: too long, or behind a broken gzip stream.
    """

    lines: int = 0
    frames: int = 0
    rejects: Rejects = field(default_factory=Rejects)


class _Partitions(dict[int, int]):
    """Partition of each vehicle row, worked out once."""

    def __init__(self, vehicles: Vehicles, partitions: int) -> None:
        super().__init__()
        self.vehicles, self.partitions = vehicles, partitions

    def __missing__(self, row: int) -> int:
        found = self[row] = partition_of(*self.vehicles.names[row], self.partitions)
        return found


class Feeder:
    """Puts lines into frames and frames into a log.

    Parameters
    ----------
    log : Log
    profile : Profile
        How the feed names its fields; ``warnloop detect`` must know it by the same name.
    patience_s : float
        How long a log that cannot take frames is waited for [s].
    """

    def __init__(self, log: Log, profile: Profile = DEFAULT, *, patience_s: float = 600.0) -> None:
        self.log, self.profile, self.patience_s = log, profile, patience_s
        self._of = "" if profile is DEFAULT else f":{profile.name}"
        vehicles = Vehicles()
        self._row = Rows(vehicles)
        self._partition = _Partitions(vehicles, log.partitions)

    def feed(self, source: Source, name: str, progress: Callable[[int], None] = lambda _: None) -> Fed:
        """Pass a stream of lines on; a line that names no vehicle goes along, to be put into quarantine.

        Raises
        ------
        LogError
            The log does not take frames, and did not recover in time. What `progress` told is in it;
            to feed the file once more doubles nothing: the gate knows repeated fixes.
        """
        fed = Fed()
        decode, form, header = None, POSITIONS, b""
        waiting: dict[int, list[bytes]] = {}
        size = 0
        for lines in read_lines(source, fed.rejects):
            if decode is None:
                lines = from_first_text(lines)
                if not lines.texts:
                    continue
                if is_json(name, lines.texts[0]):
                    decode = json_decoder(self.profile)
                else:
                    form, header = CSV, lines.texts[0]
                    if len(header) > MOST_HEADER_BYTES:
                        words = f"a header longer than {MOST_HEADER_BYTES:,} bytes: nothing of this was taken"
                        fed.rejects.add(lines.numbers[0], OVERSIZE, words)
                        return fed
                    decode = csv_decoder(self.profile, header, fed.rejects)
                    lines = Lines(lines.texts[1:], lines.numbers[1:])
            columns = decode(lines, Rejects())
            row_of = dict(zip(columns.lines, map(self._row.__getitem__, columns.name), strict=True))
            for text, line in zip(lines.texts, lines.numbers, strict=True):
                if not text.strip():
                    continue
                if header and len(header) + 1 + len(text) > MOST_FRAME_BYTES:
                    fed.rejects.add(line, OVERSIZE, f"longer than a frame with its header: {text[:60]!r}")
                    continue
                row = row_of.get(line, -1)
                partition = self._partition[row] if row >= 0 else zlib.crc32(text) % self.log.partitions
                waiting.setdefault(partition, []).append(text)
                size += len(text) + 1
            if size >= WAITING_BYTES:
                self._append(form, header, waiting, fed)
                waiting, size = {}, 0
                progress(fed.lines)
        self._append(form, header, waiting, fed)
        progress(fed.lines)
        return fed

    def _append(self, form: str, header: bytes, waiting: dict[int, list[bytes]], fed: Fed) -> None:
        now_ms = time.time_ns() // 1_000_000
        frames = [
            NewFrame(partition, form + self._of, now_ms, content)
            for partition, texts in waiting.items()
            for content in _frames(texts, header)
        ]
        pauses = Pauses(self.patience_s)
        while frames:
            try:
                self.log.append(frames)
                break
            except LogError as error:
                pauses.bear(error)
        fed.frames += len(frames)
        fed.lines += sum(map(len, waiting.values()))


def _frames(texts: list[bytes], header: bytes) -> list[bytes]:
    """Contents of frames of about ``FRAME_BYTES``; each begins with the header, where there is one."""
    contents: list[bytes] = []
    own, size = [header] * bool(header), len(header)
    for text in texts:
        if size + len(text) > FRAME_BYTES and len(own) > bool(header):
            contents.append(b"\n".join(own))
            own, size = [header] * bool(header), len(header)
        own.append(text)
        size += len(text) + 1
    contents.append(b"\n".join(own))
    return contents
