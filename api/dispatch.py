"""Dispatch: a router, couriers and periodic jobs as one process; each in a thread, with a connection of its own."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import NamedTuple

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from rich.console import Console

from api.pauses import Pauses
from api.signals import until_signalled
from dispatch import channels
from dispatch.courier import LANES, Courier, Lane
from dispatch.courier import Settings as CourierSettings
from dispatch.payloads import Names
from dispatch.router import route
from ledger import deliveries, outbox
from ledger.database import DatabaseError, check_writable, connect
from ledger.migrate import check_version

_log = logging.getLogger("warnloop.dispatch")

POLL_S = 0.2
"""How often to look for events nobody has spoken of [s]."""

GAUGE_S = 2.0
"""How often gauges are brought up to date [s]."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
"""Bounds of the time an attempt takes [s]."""


Work = Callable[[psycopg.Connection, Callable[[], None]], None]
"""A part's work on a connection, until the process is to stop; it calls the second whenever all is well."""


def borne(call: Callable[[psycopg.Connection], None]) -> Callable[[psycopg.Connection], None]:
    """The same call, whose faults are logged unless they are the database's: pushes go on, it is tried again."""

    def bear(connection: psycopg.Connection) -> None:
        try:
            call(connection)
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it must not keep pushes from their receivers
            _log.exception("%s has failed, it is tried again", call.__module__)

    return bear


class Job(NamedTuple):
    """Something done now and then by every dispatch process; side by side they must not be in each other's way.

    Attributes
    ----------
    call : callable
        Given a connection; its `DatabaseError` that passes is waited for, others end the process.
    every_s : float
        Pause between two [s].
    """

    name: str
    call: Callable[[psycopg.Connection], None]
    every_s: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How dispatch works.

    Attributes
    ----------
    database : str
        URL.
    channels : channels.Settings
    courier : courier.Settings
    lanes : sequence of Lane
    patience_s : float
        How long the database may be out of reach before the process gives up [s].
    statement_s : int
        How long one statement may take [s].
    """

    database: str
    channels: channels.Settings
    courier: CourierSettings
    lanes: Sequence[Lane] = LANES
    patience_s: float = 600.0
    statement_s: int = 60


class Metrics:
    """All metrics of dispatch."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.routed = Counter("warnloop_events_routed", "Events that became deliveries and cases.", registry=registry)
        self.deliveries = Counter(
            "warnloop_deliveries", "Attempts at deliveries.", ["channel", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "warnloop_delivery_seconds", "An attempt.", ["channel"], buckets=SECONDS, registry=registry
        )
        self.due = Gauge("warnloop_deliveries_due", "Deliveries that wait and are due.", registry=registry)
        self.dead = Gauge("warnloop_deliveries_dead", "Deliveries that were given up.", registry=registry)
        self.unrouted = Gauge("warnloop_outbox_unrouted", "Events that wait to be routed.", registry=registry)
        self.overdue = Gauge("warnloop_cases_overdue", "Cases whose next move is overdue.", registry=registry)
        self.troubles = Counter("warnloop_troubles", "Times the database was out of reach.", registry=registry)

    def settled(self, channel: str, outcome: str, took_s: float) -> None:
        """Count an attempt."""
        self.deliveries.labels(channel, outcome).inc()
        self.seconds.labels(channel).observe(took_s)

    def show(self, connection: psycopg.Connection) -> None:
        """Bring the gauges up to date."""
        counts = deliveries.counts(connection)
        self.due.set(counts.due)
        self.dead.set(counts.dead)
        self.unrouted.set(counts.unrouted)
        self.overdue.set(counts.overdue)

    def words(self) -> str:
        """What was done so far, in a line."""
        counted: dict[str, int] = {}
        for sample in next(iter(self.deliveries.collect())).samples:
            if sample.name.endswith("_total"):
                counted[sample.labels["outcome"]] = counted.get(sample.labels["outcome"], 0) + int(sample.value)
        told = ", ".join(f"{outcome} {count:,}" for outcome, count in counted.items())
        return f"推送 deliveries attempted {sum(counted.values()):,}: {told or '-'}"


@dataclass(slots=True)
class Dispatch:
    """Routes and delivers until it is told to stop.

    Attributes
    ----------
    jobs : sequence of Job
        Beyond those of its own.
    stop : Event
        Set it, and everything ends in order: what is being sent is still settled.
    """

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    jobs: Sequence[Job] = ()
    step: Callable[[str], None] = lambda _: None
    stop: Event = field(default_factory=Event)
    _error: BaseException | None = None

    def run(self) -> None:
        """Work until `stop` is set.

        Raises
        ------
        DatabaseError
            Something that waiting does not help, or that has not passed in time.
        """
        ways = channels.channels(self.settings.channels)
        couriers = [
            Courier(self.settings.courier, ways, lane, self.metrics.settled, self.step) for lane in self.settings.lanes
        ]
        parts: list[tuple[str, Work]] = [
            ("router", lambda connection, well: self._route(connection, well, couriers)),
            *((f"courier {at}", lambda connection, well, one=one: one.work(connection, self.stop, well))
              for at, one in enumerate(couriers)),
            *((job.name, lambda connection, well, job=job: self._repeat(connection, well, job))
              for job in (Job("gauges", self.metrics.show, GAUGE_S), *self.jobs)),
        ]  # fmt: skip
        threads = [Thread(target=self._patiently, args=part, name=part[0]) for part in parts]
        for thread in threads:
            thread.start()
        try:
            self.stop.wait()
        finally:
            self.stop.set()
            for courier in couriers:
                courier.wake()
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def _patiently(self, name: str, work: Work) -> None:
        """Do a part's work; what passes is waited for, what does not ends all parts."""
        pauses = Pauses(self.settings.patience_s, self.stop)
        while not self.stop.is_set():
            try:
                with connect(self.settings.database, statement_s=self.settings.statement_s) as connection:
                    check_version(connection)
                    check_writable(connection)
                    work(connection, pauses.well)
            except DatabaseError as error:
                self.metrics.troubles.inc()
                try:
                    pauses.bear(error)
                except DatabaseError as final:
                    self._give_up(final)
            except BaseException as error:  # noqa: BLE001 - raised again by `run`
                _log.exception("%s", name)
                self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        self._error = self._error or error
        self.stop.set()

    def _route(self, connection: psycopg.Connection, well: Callable[[], None], couriers: Sequence[Courier]) -> None:
        names = Names()
        outbox.listen(connection)
        while not self.stop.is_set():
            count = route(connection, step=self.step, names=names)
            well()
            if count:
                self.metrics.routed.inc(count)
            else:
                count = outbox.wait(connection, POLL_S)
            if count:
                for courier in couriers:
                    courier.wake()

    def _repeat(self, connection: psycopg.Connection, well: Callable[[], None], job: Job) -> None:
        while not self.stop.is_set():
            job.call(connection)
            well()
            self.stop.wait(job.every_s)


def dispatch(settings: Settings, metrics_port: int, notes: Console, jobs: Sequence[Job] = ()) -> None:
    """Dispatch until a signal comes; tell what was done.

    Raises
    ------
    DatabaseError
        See `Dispatch.run`.
    """
    part = Dispatch(settings, jobs=jobs)
    server = start_http_server(metrics_port, addr="127.0.0.1", registry=part.metrics.registry) if metrics_port else None
    try:
        with until_signalled(part.stop):
            part.run()
        notes.print(part.metrics.words(), soft_wrap=True, markup=False)
    except SystemExit as second:  # at once, not when the slowest receiver has answered: its lease brings it back
        os._exit(int(second.code or 0))
    finally:
        if server is not None:
            server[0].shutdown()
            server[0].server_close()
            server[1].join()
