"""Casebook: what episodes make of violations; the rule of the rulebook's §7, which knows no database."""

import uuid
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field, replace
from typing import Any, NamedTuple

from detectors.found import Fact
from ingest.registry import Vehicle

ONLINE = "online"
"""The pass that runs with the stream."""

CLOSED = "closed"
"""The second pass, when a day is closed."""

_NAMESPACE = uuid.UUID("6f1c9b52-6a0e-5f0e-9d57-3a0b8c1f4e21")


class Key(NamedTuple):
    """What identifies an episode within a pass."""

    vehicle_id: int
    kind: str
    begins_ms: int


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode of a pass, as it stood when a fact was found.

    Attributes
    ----------
    merge_ms : int
        An episode that begins within this of another is the same violation [ms].
    measures : dict
        What its kind prints of it.
    rule_version, registry_version : int
        Of the kind, and of the registry, that found it.
    """

    vehicle_id: int
    name: Vehicle
    kind: str
    fact: Fact
    begins_ms: int
    raised_ms: int
    ends_ms: int
    severity: int
    lead: bool
    lon: float
    lat: float
    company: str
    county: str
    place_county: str
    measures: dict[str, object]
    merge_ms: int
    rule_version: int
    registry_version: int

    @property
    def key(self) -> Key:
        """Identity within its pass."""
        return Key(self.vehicle_id, self.kind, self.begins_ms)


@dataclass(slots=True)
class Violation:
    """A violation as it stands."""

    id: uuid.UUID
    vehicle_id: int
    kind: str
    begins_ms: int
    raised_ms: int
    ends_ms: int
    severity: int
    lead: bool
    status: str
    company: str
    county: str
    place_county: str
    lon: float
    lat: float
    measures: dict[str, Any]
    rule_version: int
    registry_version: int
    revision: int


class Revision(NamedTuple):
    """A violation as a fact left it, and why, where that is to be said."""

    stands: Violation
    fact: str
    reason: str = ""


class Withdrawal(NamedTuple):
    """A violation that is none any more, why, and the registry version that says so."""

    violation_id: uuid.UUID
    reason: str
    registry_version: int


class Event(NamedTuple):
    """Something that those concerned are owed."""

    violation_id: uuid.UUID
    revision: int
    event: str

    @property
    def id(self) -> uuid.UUID:
        """The same whenever the event is worked out again."""
        return uuid.uuid5(self.violation_id, f"{self.revision} {self.event}")


def violation_id(name: Vehicle, kind: str, begins_ms: int) -> uuid.UUID:
    """Permanent id of the violation that an episode founds: the same however often it is derived."""
    return uuid.uuid5(_NAMESPACE, f"{kind} {name.plate} {name.color} {begins_ms}")


@dataclass(slots=True)
class Casebook:
    """The violations that a sequence of episodes may touch, and what becomes of them.

    Attributes
    ----------
    known : dict
        Violation of each episode that is already part of one.
    founded : dict
        Episodes that became part of one now, to the violation's id.
    revisions, events : list
        What the episodes brought, in order.
    pass_ : str
        Of the episodes.
    """

    known: dict[Key, Violation]
    others: InitVar[Iterable[Violation]] = ()
    founded: dict[Key, uuid.UUID] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    pass_: str = ONLINE
    changed: dict[uuid.UUID, Violation] = field(default_factory=dict)
    _by_vehicle: dict[tuple[int, str], list[Violation]] = field(default_factory=dict)

    def __post_init__(self, others: Iterable[Violation]) -> None:
        for violation in (*others, *{held.id: held for held in self.known.values()}.values()):
            self._by_vehicle.setdefault((violation.vehicle_id, violation.kind), []).append(violation)

    def take(self, episode: Episode) -> None:
        """Let an episode, as a fact left it, revise its violation, join one, or found one.

        An episode nobody has heard of founds a violation whatever its fact: its kind came to know it
        while writes were off. Where the violation was withdrawn, what is known of it is no news; if the episode goes
        on, the violation is not reopened: what lies behind its end is another one.

        Source: rulebook §7.
        """
        key, violation = episode.key, self.known.get(episode.key)
        if violation is not None and violation.begins_ms > episode.begins_ms:  # the withdrawn part of it lies before
            episode = _from(episode, violation.begins_ms)
        if violation is not None and violation.status == "withdrawn":
            if episode.ends_ms <= violation.ends_ms:
                return
            violation, episode = self._go_on(violation, episode, key)
            graver = self._stretch(violation, episode)
        elif violation is not None:
            graver = self._stretch(violation, episode)
        elif (violation := self._near(episode)) is not None:
            self.known[key] = violation
            self.founded[key] = violation.id
            graver = self._stretch(violation, episode)
            self._revise(violation, "merged")
        else:
            id_ = violation_id(episode.name, episode.kind, episode.begins_ms)
            violation, graver = self._found(episode, key, id_), False
        if graver:
            self._revise(violation, "risen", tell=True)
        if episode.fact is Fact.ENDED:
            self._revise(violation, "ended", tell=True)

    def settle(self, episode: Episode) -> None:
        """Let an episode of a closed day, as it was in the end, revise its violation or one it overlaps, or found one.

        What stands as the episode says is not revised; what is over stays so. Where a violation that it overlaps was
        withdrawn, the episode is no news.

        Source: rulebook §7.
        """
        key = episode.key
        violation = self.known.get(key) or self._near(episode) or self._withdrawn(episode)
        if violation is None:
            self._found(episode, key, violation_id(episode.name, episode.kind, episode.begins_ms))
            if episode.fact is Fact.ENDED:
                self._revise(self.known[key], "ended", tell=True)
            return
        if key not in self.known:
            self.known[key] = violation
            self.founded[key] = violation.id
        if violation.status == "withdrawn":
            return
        before = replace(violation)
        graver = self._stretch(violation, episode)
        if before.status == "ended":
            violation.status = "ended"
        if graver:
            self._revise(violation, "risen", tell=True)
        elif violation.status != before.status:
            self._revise(violation, "ended", tell=True)
        elif violation != before:
            self._revise(violation, "revised")

    def _withdrawn(self, episode: Episode) -> Violation | None:
        """A withdrawn violation that the episode overlaps."""
        return next(
            (
                violation
                for violation in self._by_vehicle.get((episode.vehicle_id, episode.kind), ())
                if violation.begins_ms <= episode.ends_ms and episode.begins_ms <= violation.ends_ms
            ),
            None,
        )

    def _near(self, episode: Episode) -> Violation | None:
        """The earliest violation that the episode overlaps, or within whose merge it begins."""
        near = [
            violation
            for violation in self._by_vehicle.get((episode.vehicle_id, episode.kind), ())
            if violation.status != "withdrawn"
            and episode.begins_ms - violation.ends_ms <= episode.merge_ms
            and violation.begins_ms - episode.ends_ms <= episode.merge_ms
        ]
        return min(near, key=lambda violation: violation.begins_ms, default=None)

    def _found(self, episode: Episode, key: Key, id_: uuid.UUID) -> Violation:
        violation = Violation(
            id=id_,
            vehicle_id=episode.vehicle_id,
            kind=episode.kind,
            begins_ms=episode.begins_ms,
            raised_ms=episode.raised_ms,
            ends_ms=episode.ends_ms,
            severity=episode.severity,
            lead=episode.lead,
            status="ended" if episode.fact is Fact.ENDED else "open",
            company=episode.company,
            county=episode.county,
            place_county=episode.place_county,
            lon=episode.lon,
            lat=episode.lat,
            measures=episode.measures,
            rule_version=episode.rule_version,
            registry_version=episode.registry_version,
            revision=0,
        )
        self.known[key] = violation
        self._by_vehicle.setdefault((episode.vehicle_id, episode.kind), []).append(violation)
        self.founded[key] = violation.id
        self._revise(violation, "raised", tell=True)
        return violation

    def _go_on(self, withdrawn: Violation, episode: Episode, key: Key) -> tuple[Violation, Episode]:
        """Found what lies behind the end of a withdrawn violation, and cut the episode to it.

        It is founded as the withdrawn one was left, whichever row of the episode is the first to tell that it goes on:
        that would depend on where batches are cut.
        """
        episode = _from(episode, withdrawn.ends_ms)
        left = {name: getattr(withdrawn, name) for name in ("ends_ms", "severity", "measures")}
        begun = replace(episode, fact=Fact.STANDS, **left)
        return self._found(begun, key, uuid.uuid5(withdrawn.id, "goes on")), episode

    def _stretch(self, violation: Violation, episode: Episode) -> bool:
        """Let the violation cover the episode as it stands; whether that makes it graver."""
        graver = episode.severity > violation.severity
        own = episode.begins_ms == violation.begins_ms
        violation.begins_ms = min(violation.begins_ms, episode.begins_ms)
        violation.ends_ms = max(violation.ends_ms, episode.ends_ms)
        violation.severity = max(violation.severity, episode.severity)
        violation.status = "ended" if episode.fact is Fact.ENDED else "open"
        if own:
            violation.measures = episode.measures
        self.changed[violation.id] = violation
        return graver

    def withdraw(self, violation: Violation, withdrawal: Withdrawal) -> None:
        """Let a violation be none any more; the revision says under which version of the registry."""
        violation.status = "withdrawn"
        self._revise(violation, "withdrawn", tell=True)
        stands = replace(self.revisions[-1].stands, registry_version=withdrawal.registry_version)
        self.revisions[-1] = Revision(stands, "withdrawn", withdrawal.reason)

    def _revise(self, violation: Violation, fact: str, *, tell: bool = False) -> None:
        violation.revision += 1
        self.changed[violation.id] = violation
        self.revisions.append(Revision(replace(violation), fact))
        if tell:
            self.events.append(Event(violation.id, violation.revision, fact))


def _from(episode: Episode, begins_ms: int) -> Episode:
    """An episode but for what lies before a time."""
    return replace(episode, begins_ms=begins_ms, raised_ms=max(episode.raised_ms, begins_ms))
