"""Worker: from the log through gate and detectors to the ledger, each frame with effect once.

What has had its effect is what the positions say. A worker that dies, loses the database or is
overtaken drops all it holds, and takes up again from the newest checkpoint: frames between it and the
position are read once more with writes off. That is sound because results do not depend on where the
log is cut into batches.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event

from api.judge import Judge
from api.late import withdrawals
from api.metrics import Metrics
from api.pauses import Pauses
from api.replay import seldom_collecting
from api.strips import strips
from detectors.catalogue import CATALOGUE
from detectors.kind import Kind
from detectors.prepare import prepare
from ingest.frames import Quarantined
from ingest.log import REGISTRY, TICK, Frame, Log, LogError, LogReader, NewFrame
from ingest.profile import Profile
from ingest.rejects import MALFORMED
from ledger import checkpoints, positions, registries, vehicles
from ledger.database import DatabaseError, check_writable, connect, end_hung, in_words
from ledger.effect import Effect, commit
from ledger.migrate import check_version
from ledger.positions import FenceError, Position

_log = logging.getLogger("warnloop.detect")

POLL_S = 0.5
"""How long to wait for frames before looking after other things [s]."""

GAUGE_S = 2.0
"""How often gauges are brought up to date [s]."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker works.

    Attributes
    ----------
    database : str
        URL.
    pace_s : float
        Batches begin no closer than this, so that they are worth their transaction [s].
    checkpoint_s : float
        Each partition's state is kept this often [s].
    tick_s : float
        How often a partition's worker adds a tick with the time of day; 0 for a log that has its own [s].
    patience_s : float
        How long the log or the database may be out of reach before the worker gives up [s].
    statement_s : int
        How long one statement may take [s].
    warm_up_s : float
        From how long before a checkpoint stored fixes warm up state that it does not have [s].
    drain : bool
        Whether to end when the log has been read to its end.
    profiles : mapping
        Profiles of position frames by name.
    kinds : mapping
        Kinds that are looked for.
    """

    database: str
    pace_s: float = 0.2
    checkpoint_s: float = 60.0
    tick_s: float = 60.0
    patience_s: float = 600.0
    statement_s: int = 60
    warm_up_s: float = 86_400.0
    drain: bool = False
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=lambda: CATALOGUE)


@dataclass(slots=True)
class Part:
    """A partition in the care of this worker.

    Attributes
    ----------
    position : Position
        What has had its effect.
    judge : Judge
        Under the version of the registry that counts for the next frame to be read.
    read : int
        Offset of that frame; before ``position.next_offset`` while the partition catches up.
    kept : int
        Offset of its newest checkpoint, readable or not; 0 for none.
    """

    position: Position
    judge: Judge
    read: int
    kept: int
    assigned_at: float
    keep_at: float
    tick_at: float
    caught_up: bool = False


class Worker:
    """Works until it is told to stop.

    Parameters
    ----------
    log : Log
    settings : Settings
    metrics : Metrics
    step : callable
        Told the name of every step when it is done.

    Attributes
    ----------
    stop : Event
        Set it, and the worker ends after the batch at hand, leaving fresh checkpoints.
    """

    def __init__(
        self, log: Log, settings: Settings, metrics: Metrics, step: Callable[[str], None] = lambda _: None
    ) -> None:
        self.log, self.settings, self.metrics = log, settings, metrics
        self.stop = Event()
        self._step_done = step
        self._parts: dict[int, Part] = {}
        self._judges: dict[int, Judge] = {}
        self._pauses = Pauses(settings.patience_s, self.stop)
        self._gauge_at = 0.0

    # -- the life of a worker

    def run(self) -> None:
        """Work until `stop` is set; what passes is waited for, with longer and longer pauses.

        Raises
        ------
        DatabaseError, LogError
            Something that waiting does not help, or that has not passed in time.
        """
        prepare(self.settings.kinds)  # before partitions are taken: frames would wait for it
        while not self.stop.is_set():
            try:
                with seldom_collecting():
                    self._work()
            except FenceError as error:
                self.metrics.fenced.inc()
                _log.warning("分区已易主 fenced: %s; nothing was written, joining again", error)
            except (DatabaseError, LogError) as error:
                self.metrics.troubles.inc()
                self._pauses.bear(error)

    def _work(self) -> None:
        settings = self.settings
        self._connection = connect(settings.database, statement_s=settings.statement_s)
        try:
            with in_words():
                check_version(self._connection)
                check_writable(self._connection)
                if settings.statement_s and end_hung(self._connection, settings.statement_s):
                    _log.warning("会话已终止 a worker that had stopped in the middle of its writing was cut off")
            with self.log.reader() as reader, in_words():
                while not self.stop.is_set():
                    began = time.monotonic()
                    kept = {partition: part.kept for partition, part in self._parts.items()}
                    with checkpoints.unless_overtaken(self._connection, kept):
                        frames = reader.poll(POLL_S)
                    self._assign(reader)
                    for strip in strips(frames, lambda partition: self._parts[partition].position.next_offset):
                        self._take(strip)
                    self._keep_one(reader)
                    self._tick()
                    self._gauge(reader)
                    self._pauses.well()
                    if settings.drain and not frames and self._is_drained(reader):
                        self.stop.set()
                    self.stop.wait(max(0.0, settings.pace_s - (time.monotonic() - began)) if frames else 0.0)
                for partition in self._parts:
                    self._keep(reader, partition)
        finally:
            self._parts, self._judges = {}, {}
            self._connection.close()

    # -- partitions come and go

    def _assign(self, reader: LogReader) -> None:
        """Drop what was lost, take up what was won."""
        for partition in self._parts.keys() - reader.assigned:
            self._parts.pop(partition).judge.forget(partition)
            _log.info("分区移交 partition %d: given up", partition)
        for partition in sorted(reader.assigned - self._parts.keys()):
            self._restore(reader, partition)

    def _restore(self, reader: LogReader, partition: int) -> None:
        """Load the newest checkpoint that can be read, and read the log from there."""
        now = time.monotonic()
        position = positions.read(self._connection, partition)
        offsets = checkpoints.offsets(self._connection, partition)
        newest = max(offsets, default=0)
        for offset in offsets:
            checkpoint = checkpoints.read(self._connection, partition, offset)
            judge = self._judge(checkpoint.registry_version)
            try:
                missing = judge.restore(checkpoint)
                break
            except ValueError as error:
                judge.forget(partition)
                _log.warning(
                    "检查点损坏 checkpoint %d of partition %d: %s; taking the one before", offset, partition, error
                )
        else:
            offset, judge, missing = 0, self._judge(0), frozenset()
        if missing:
            fixes = judge.warm_up(partition, missing, self.settings.warm_up_s, offset)
            names = ", ".join(sorted(missing))
            _log.info("状态预热 partition %d: %s warmed up from %d stored fixes", partition, names, fixes)
            for name in missing:
                self.metrics.warmed_up.labels(name).inc()
        with checkpoints.unless_overtaken(self._connection, {partition: newest}):
            reader.seek(partition, offset)
        share = (partition + 1) / self.log.partitions
        keep_at = now + self.settings.checkpoint_s * share
        part = Part(position, judge, offset, newest, now, keep_at, now + self.settings.tick_s * share)
        self._parts[partition] = part
        self._step_done("restore")
        _log.info(
            "分区接管 partition %d: state as of frame %d, effect up to %d", partition, offset, position.next_offset
        )
        self._welcome(partition, part)

    def _welcome(self, partition: int, part: Part) -> None:
        """Note that a partition has caught up."""
        if not part.caught_up and part.read >= part.position.next_offset:
            part.caught_up = True
            took_s = time.monotonic() - part.assigned_at
            self.metrics.restore_seconds.observe(took_s)
            _log.info("分区就绪 partition %d: caught up after %.2f s", partition, took_s)

    def _judge(self, version: int) -> Judge:
        if version not in self._judges:
            registry = registries.load(self._connection, version)
            self._judges[version] = Judge(
                self._connection, version, registry, self.log.partitions, self.settings.profiles, self.settings.kinds
            )
        return self._judges[version]

    # -- frames

    def _take(self, strip: list[Frame]) -> None:
        """Take frames, of each partition either one that changes the registry, or others."""
        self.metrics.frames.inc(len(strip))
        groups: dict[tuple[int, bool], list[Frame]] = {}
        for frame in strip:
            part = self._parts[frame.partition]
            if frame.form == REGISTRY:
                self._turn(part, frame)
            else:
                groups.setdefault((part.judge.version, part.read >= part.position.next_offset), []).append(frame)
        for (version, live), frames in groups.items():
            self._detect(self._judges[version], frames, live=live)
        for partition in {frame.partition for frame in strip}:
            self._welcome(partition, self._parts[partition])

    def _turn(self, part: Part, frame: Frame) -> None:
        """From here on another version of the registry counts for the partition."""
        version = int(frame.content) if frame.content.isdigit() and len(frame.content) < 10 else -1
        known = 0 <= version <= registries.latest(self._connection)[0]
        if part.read >= part.position.next_offset:
            after = replace(part.position, next_offset=frame.offset + 1)
            if known:
                after = replace(after, registry_version=max(version, part.judge.version))
            refused = [Quarantined(frame, 0, MALFORMED, "no version of the registry", frame.content)]
            moves = {frame.partition: (part.position, after)}
            newer = self._judge(after.registry_version)
            cleared = withdrawals(self._connection, part.judge, newer, frame.partition, self.log.partitions)
            book = commit(
                self._connection, Effect.without_fixes(moves, () if known else refused, cleared), self._timed()
            )
            self.metrics.count_facts((one.stands.kind, one.fact) for one in (book.revisions if book else ()))
            part.position = after
        if known and version > part.judge.version:
            judge = self._judge(version)
            judge.take_over(frame.partition, part.judge)
            part.judge.forget(frame.partition)
            part.judge = judge
            used = {held.judge.version for held in self._parts.values()}
            self._judges = {number: held for number, held in self._judges.items() if number in used}
            words = "登记信息更新 partition %d: registry version %d from frame %d on"
            _log.info(words, frame.partition, version, frame.offset)
        part.read = frame.offset + 1

    def _detect(self, judge: Judge, frames: list[Frame], *, live: bool) -> None:
        """Carry state through frames; where they are new, let them have their effect."""
        began = time.monotonic()
        step = self._timed()
        judged = judge.judge(frames)
        step("detect")
        ends = {frame.partition: frame.offset + 1 for frame in frames}
        if live:
            moves = {}
            for partition, end in ends.items():
                before = self._parts[partition].position
                tick_ms = max(before.tick_ms, judged.decoded.ticks.get(partition, before.tick_ms))
                moves[partition] = before, replace(before, next_offset=end, tick_ms=tick_ms)
            vehicles.add_drivers(self._connection, judge.decoder.drivers())
            effect = Effect(
                moves,
                judged.decoded.batch,
                judged.origin,
                judged.vehicle_id,
                judged.result.verdict,
                judged.decoded.quarantined,
                judge.episodes(judged),
                judge.warnings(judged),
            )
            committing = time.monotonic()
            book = commit(self._connection, effect, step)
            self.metrics.commit_seconds.observe(time.monotonic() - committing)
            for partition, (_, after) in moves.items():
                self._parts[partition].position = after
            self.metrics.count(judged.decoded.batch.time_ms, judged.origin.logged_ms, judged.result)
            self.metrics.count_records(record.reason for record in judged.decoded.quarantined)
            self.metrics.count_facts((stands.kind, fact) for stands, fact, _ in (book.revisions if book else ()))
            self.metrics.count_facts((warning.kind, "warned") for warning in effect.warnings)
            self.metrics.batch_seconds.observe(time.monotonic() - began)
        for partition, end in ends.items():
            self._parts[partition].read = end

    # -- what is done now and then

    def _is_drained(self, reader: LogReader) -> bool:
        ends = reader.ends()
        return len(ends) > 0 and all(self._parts[partition].read == end for partition, end in ends.items())

    def _keep_one(self, reader: LogReader) -> None:
        """Keep the state of the partition whose turn it is."""
        due = min(self._parts.items(), key=lambda item: item[1].keep_at, default=None)
        if due is not None and time.monotonic() >= due[1].keep_at:
            self._keep(reader, due[0])
            due[1].keep_at = time.monotonic() + self.settings.checkpoint_s

    def _keep(self, reader: LogReader, partition: int) -> None:
        """Keep the state of a partition that has caught up; frames before it may go."""
        part = self._parts[partition]
        if not part.caught_up or part.read != part.position.next_offset or part.kept == part.read:
            return
        step = self._timed()
        slabs = part.judge.slabs(partition)
        step("pack")
        oldest = checkpoints.write(self._connection, partition, part.position, slabs, step)
        part.kept = part.read
        self.metrics.checkpoint_bytes.inc(sum(len(slab.content) for slab in slabs))
        reader.trim(partition, oldest)
        step("trim")

    def _tick(self) -> None:
        """Let time go on where nothing arrives."""
        if self.settings.tick_s <= 0:
            return
        now, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        due = [partition for partition, part in self._parts.items() if part.caught_up and part.tick_at <= now]
        if due:
            self.log.append([NewFrame(partition, TICK, now_ms, str(now_ms).encode()) for partition in due])
        for partition in due:
            self._parts[partition].tick_at = now + self.settings.tick_s

    # -- telling

    def _timed(self) -> Callable[[str], None]:
        """A teller of steps that measures the time between them."""
        last = time.monotonic()

        def step(name: str) -> None:
            nonlocal last
            now = time.monotonic()
            self.metrics.step_seconds.labels(name).observe(now - last)
            last = now
            self._step_done(name)

        return step

    def _gauge(self, reader: LogReader) -> None:
        metrics, now = self.metrics, time.monotonic()
        metrics.assigned.set(len(self._parts))
        if now < self._gauge_at:
            return
        self._gauge_at = now + GAUGE_S
        metrics.show_partitions(
            {partition: end - self._parts[partition].read for partition, end in reader.ends().items()},
            {partition: part.position.tick_ms for partition, part in self._parts.items()},
        )
        metrics.registry_version.set(max((part.judge.version for part in self._parts.values()), default=0))
        metrics.vehicles.set(sum(judge.vehicles for judge in self._judges.values()))
        metrics.state_bytes.set(sum(judge.state_bytes for judge in self._judges.values()))
