"""The whole path, measured: from the embedded log through all kinds to the ledger, and a restart."""

import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from api.feed import Feeder
from ingest.fleet import START_MS, generate
from ingest.log import NewFrame
from ledger.database import connect
from ledger.tablelog import TableLog

VEHICLES, RATE, SECONDS = 10_000, 31_000, 300
"""Vehicles, fixes a second, and for how long they come."""

RESTART_VEHICLES = 100_000
METRICS_PORT = 9464


class Paced(TableLog):
    """A log whose appends are held to a rate of lines."""

    def __init__(self, url: str, rate: float) -> None:
        super().__init__(url)
        self.rate, self.lines, self.begin = rate, 0, time.monotonic()

    def append(self, frames: Sequence[NewFrame]) -> None:
        """Wait until these lines are due, then append; they are stamped with the time they are due."""
        self.lines += sum(frame.content.count(b"\n") + 1 for frame in frames)
        time.sleep(max(0.0, self.begin + self.lines / self.rate - time.monotonic()))
        now_ms = time.time_ns() // 1_000_000
        super().append([NewFrame(frame.partition, frame.form, now_ms, frame.content) for frame in frames])


def command(*words: str, url: str) -> list[str]:
    """A command of the product."""
    return [sys.executable, "-m", "api.cli", *words, "--database", url]


def metrics() -> dict[str, float]:
    """Metrics of the worker, by name and labels."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/metrics") as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {name: float(value) for name, value in re.findall(r"^(warnloop_\S+) (\S+)$", text, re.MULTILINE)}


def quantile(found: dict[str, float], share: float) -> str:
    """Bounds between which a share of the fixes was durable after receipt [s]."""
    pattern = re.compile(r'warnloop_latency_seconds_bucket\{clock="receipt",le="(.+)"\}')
    buckets = sorted((float(match[1]), value) for name, value in found.items() if (match := pattern.fullmatch(name)))
    total, below = buckets[-1][1], 0.0
    for bound, count in buckets:
        if count >= share * total:
            return f"{below:g} to {bound:g} s"
        below = bound
    return "unknown"


def sustained(url: str, folder: Path) -> None:
    """Feed at the rate for the time, with a worker reading, and tell how far behind it fell."""
    hours = SECONDS * RATE / 550_000 + 0.2
    generate(folder, vehicles=VEHICLES, hours=hours, seed=3, start_ms=START_MS)
    subprocess.run(command("import", str(folder / "registry"), url=url), check=True, capture_output=True)
    words = ("detect", "--metrics-port", str(METRICS_PORT))
    with subprocess.Popen(command(*words, url=url), stderr=subprocess.DEVNULL) as worker:
        try:
            _fed_and_read(url, folder)
        finally:
            worker.send_signal(signal.SIGINT)


def _fed_and_read(url: str, folder: Path) -> None:
    while metrics().get("warnloop_assigned_partitions", 0) == 0:
        time.sleep(0.1)
    log = Paced(url, RATE)
    positions = folder / "positions.ndjson"
    begin = time.monotonic()
    with positions.open("rb") as source:
        fed = Feeder(log).feed(source, positions.name)
    took = time.monotonic() - begin
    while sum(value for name, value in metrics().items() if name.startswith("warnloop_fixes_total")) < fed.lines:
        time.sleep(0.1)
        assert time.monotonic() - begin < took + 60, "the worker is a minute behind"
    behind = time.monotonic() - begin - took
    found = metrics()
    with connect(url) as connection:
        row = connection.execute("SELECT count(*), (SELECT count(*) FROM violations) FROM fixes").fetchone()
    assert row is not None
    batches = found["warnloop_batch_seconds_count"]
    print(
        f"{fed.lines:,} fixes of {VEHICLES:,} vehicles fed in {took:.0f} s, {fed.lines / took:,.0f} fixes/s; "
        f"all durable {behind:.1f} s later; {row[0]:,} stored, {row[1]:,} violations"
    )
    print(
        f"receipt to durable: median {quantile(found, 0.5)}, p99 {quantile(found, 0.99)}; {batches:,.0f} batches, "
        f"mean {found['warnloop_batch_seconds_sum'] / batches:.3f} s, "
        f"commit {found['warnloop_commit_seconds_sum'] / batches:.3f} s"
    )


def restart(url: str, folder: Path) -> None:
    """Seconds from the start of a worker to all partitions caught up, with the state of many vehicles."""
    generate(folder, vehicles=RESTART_VEHICLES, hours=0.25, seed=4, start_ms=START_MS + 10 * 3_600_000)
    for words in (
        ("import", str(folder / "registry")),
        ("feed", str(folder / "positions.ndjson")),
        ("detect", "--drain"),
    ):
        subprocess.run(command(*words, url=url), check=True, capture_output=True)
    with connect(url) as connection:
        row = connection.execute(
            "SELECT count(*), sum(cardinality(vehicles)), sum(octet_length(content)) FROM state_slabs "
            "JOIN (SELECT partition, max(next_offset) FROM checkpoints GROUP BY 1) AS newest (partition, next_offset) "
            "USING (partition, next_offset)"
        ).fetchone()
    assert row is not None
    begin = time.monotonic()
    subprocess.run(command("detect", "--drain", url=url), check=True, capture_output=True)
    took = time.monotonic() - begin
    print(f"restart with the state of {row[1]:,} vehicles ({row[0]} slabs, {row[2] / row[1]:.0f} B each): {took:.1f} s")
