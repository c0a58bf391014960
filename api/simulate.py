"""Simulate: the synthetic fleet drives now; what it would have sent by this moment is posted to a gateway.

The fleet drives in windows of a day. How far a window has been sent stands in a file, so that a
simulation that was stopped goes on where it was: what fell due meanwhile is sent as a terminal sends
what it kept while it was out of coverage.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

import urllib3
from urllib3.exceptions import HTTPError

from ingest.fleet import generate
from ingest.fleet.plants import Plants

WINDOW_MS = 86_400_000
"""Length of a window [ms]; what is planted is planted anew in each."""

PLANTS = Plants(share=0.01, near_share=0.003, fault_share=0.003)
"""About a third of the fleet does something every day, so that there is something to see."""

AHEAD_DAYS = 14
"""The registry of a window is good for so many more [d]: it is imported at the start only."""

BODY_BYTES = 1 << 20
"""Lines are posted in bodies of about this size [B]."""

_ZONE_MS = 8 * 3_600_000
_DAY_MS = 86_400_000
_RECEIVED = re.compile(rb'"received":(\d+)')


class SimulationError(Exception):
    """The gateway refuses what no repetition would help; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a fleet has driven.

    Attributes
    ----------
    begin_ms : int
        When its window begins, a Beijing midnight [ms].
    sent : int
        How much of the window's file the gateway has taken [B].
    """

    begin_ms: int
    sent: int = 0


class Fleet:
    """A fleet on disk: its registry, the present window, how far it was sent.

    Parameters
    ----------
    folder : Path
        Made if need be.
    vehicles, seed : int
        As `generate` takes them; kept from the first start on.
    """

    def __init__(self, folder: Path, vehicles: int, seed: int) -> None:
        self.folder, self.vehicles, self.seed = folder, vehicles, seed
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "place.json"

    @property
    def registry(self) -> Path:
        """Its registry folder, the same in every window."""
        return self._window(self.place) / "registry"

    @property
    def place(self) -> Place:
        """Where it is; a fleet that never drove begins with yesterday."""
        if not self._file.exists():
            return self.move(Place((time.time_ns() // 1_000_000 + _ZONE_MS) // _DAY_MS * _DAY_MS - _ZONE_MS - _DAY_MS))
        return Place(**json.loads(self._file.read_text()))

    def move(self, place: Place) -> Place:
        """Note where it is, durably; the new place."""
        part = self._file.with_suffix(".part")
        with part.open("w") as file:
            json.dump(asdict(place), file)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._file)
        return place

    def positions(self, place: Place) -> Path:
        """File of a window's positions."""
        return self._window(place) / "positions.ndjson"

    @property
    def labels(self) -> Path:
        """What is planted in the present window."""
        return self._window(self.place) / "labels.ndjson"

    def _window(self, place: Place) -> Path:
        """Folder of a window; it is made, and the one before removed."""
        window = self.folder / f"window-{place.begin_ms}"
        if not window.exists():
            part = self.folder / "window.part"
            for old in (part, *self.folder.glob("window-*")):
                shutil.rmtree(old, ignore_errors=True)
            generate(
                part,
                vehicles=self.vehicles,
                hours=WINDOW_MS / 3_600_000,
                seed=self.seed,
                start_ms=place.begin_ms,
                plants=PLANTS,
                ahead_days=AHEAD_DAYS,
            )
            part.rename(window)
        return window


def due(path: Path, sent: int, now_ms: int, most: int = BODY_BYTES) -> bytes:
    """Lines of a file from an offset on whose receipt has come, at least one if any; about as many bytes as asked."""
    with path.open("rb") as file:
        file.seek(sent)
        lines: list[bytes] = []
        size = 0
        for line in file:
            match = _RECEIVED.search(line)
            if (match and int(match[1]) > now_ms) or size >= most:
                break
            lines.append(line)
            size += len(line)
    return b"".join(lines)


class Simulation:
    """Posts what falls due until it is told to stop.

    Parameters
    ----------
    fleet : Fleet
    url : str
        Of the gateway, such as ``http://127.0.0.1:8081``.
    key : str
        API key with the scope ``ingest``.
    """

    def __init__(self, fleet: Fleet, url: str, key: str) -> None:
        self.fleet, self.stop = fleet, Event()
        self._url = f"{url.rstrip('/')}/ingest"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        self._pool = urllib3.PoolManager(num_pools=1, timeout=urllib3.Timeout(connect=5, read=60), retries=False)

    def run(self, told: Callable[[str], None]) -> None:
        """Drive.

        Raises
        ------
        SimulationError
            The gateway refuses.
        """
        place = self.fleet.place
        fixes, behind = 0, True
        while not self.stop.is_set():
            now_ms = time.time_ns() // 1_000_000
            if now_ms >= place.begin_ms + WINDOW_MS and not due(self.fleet.positions(place), place.sent, now_ms, 1):
                place = self.fleet.move(Place(place.begin_ms + WINDOW_MS))
            body = due(self.fleet.positions(place), place.sent, now_ms)
            if not body:
                if behind:
                    told(f"已追上当前时间 up to the present: {fixes:,} positions sent")
                    behind = False
                self.stop.wait(1.0)
            elif self._post(body, told):
                place = self.fleet.move(Place(place.begin_ms, place.sent + len(body)))
                fixes += body.count(b"\n")

    def _post(self, body: bytes, told: Callable[[str], None]) -> bool:
        """Whether the gateway took it; what passes is waited for."""
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=self._headers)
        except HTTPError as error:
            told(f"网关不可达 the gateway is out of reach: {error}")
            self.stop.wait(2.0)
            return False
        if answer.status == 200:
            return True
        if answer.status < 500 and answer.status != 429:
            words = answer.data[:300].decode(errors="replace")
            raise SimulationError(f"网关拒绝 the gateway refuses, {answer.status}: {words}")
        told(f"网关暂不接收 the gateway takes nothing now, {answer.status}")
        self.stop.wait(2.0)
        return False
