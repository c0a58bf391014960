"""Kind: an entry of the catalogue; its decorator is the entry, its function the rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.limits import Default, Limits
from detectors.why import Why, Words
from ingest.batch import Bool, Int32
from ingest.registry import CLASSES


class Severity(IntEnum):
    """How grave a violation is. Source: regulation §4."""

    NOTICE = 1
    GENERAL = 2
    SERIOUS = 3
    SEVERE = 4


State = NDArray[np.void]
"""What a kind remembers, one row a vehicle, changed in place; zeros for a vehicle never heard of."""

Measures = Callable[[Any], dict[str, object]]
"""Turns one row of `Found` into the measures that are printed."""

Fenced = Callable[[Enriched], Int32]
"""Which fence a kind goes by at each fix."""

Wakes = Callable[[Enriched], Bool]
"""At which fixes, (n,), a kind may begin to remember something of a vehicle of which it remembers nothing."""

Detect = Callable[[Any, Limits, State], Found]
"""Decides: of `Enriched` fixes, or, where the kind's scope is ``day``, of a `days.Day`."""


@dataclass(frozen=True, slots=True)
class Example:
    """A short drive of one vehicle, and at which of its fixes episodes are raised.

    The vehicle drives north at its own speed unless it is told where it is.

    Attributes
    ----------
    title : str
        What the example shows.
    columns : mapping
        Column of `Enriched` (or ``driver``, ``lon``, ``lat``) to one value or one a fix.
    every_s : int
        Time between fixes [s].
    raised : tuple of int
        Index of the fix at which each episode is raised; empty if none is.
    start : str
        Beijing time of the first fix, on 2026-03-02.
    kind : str
        Class letter; empty for the first of the kind's classes.
    registered : mapping
        Further columns of the vehicle's registry row.
    papers : mapping
        Table of the registry to its rows; where a table is of vehicles, the example's is meant.
    fences : tuple of mapping
        Properties of fences, with ``box``: west, south, east, north [deg].
    lines : mapping
        ``roads`` or ``routes`` to properties of lines, with ``points``: pairs of lon, lat [deg].
    """

    title: str
    columns: Mapping[str, Any]
    every_s: int
    raised: tuple[int, ...]
    start: str = "08:00:00"
    kind: str = ""
    registered: Mapping[str, str] = field(default_factory=dict)
    papers: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    fences: tuple[Mapping[str, Any], ...] = ()
    lines: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A catalogue entry.

    Attributes
    ----------
    code : str
        V01 to V45.
    zh, en : str
        Its names.
    classes : str
        Letters of the vehicle classes it applies to.
    severity : Severity
        Of an ordinary episode.
    clause : str
        The law it rests on.
    limits : mapping
        Its parameters with their defaults; names carry units.
    state : dtype
        What it remembers per vehicle.
    examples : tuple of Example
        Drives that raise it and drives that do not.
    measures : callable
        What it prints of an episode beyond the columns all episodes have.
    why : Why
        What it says of an episode: what was measured, against which limit, what would have cleared it.
    over : str
        What `Limits.index` runs over: ``fixes`` or driving ``pieces``.
    scope : str
        ``vehicle``: judged fix by fix, as they come; ``day``: judged when a Beijing day is closed.
    tables : tuple of str
        Tables of the registry whose rows clear it, also when they are handed in later.
    fenced : callable, optional
        Which row of ``registry.fences`` it goes by at each fix, (n,), -1 for none: parameters may be given for such
        a fence. None where it goes by no fence.
    warns : Words, optional
        What its warnings before an episode (`Fact.WARNED`) say; None where it gives none.
    version : int
        Of the rule; a new one means old state cannot be read.
    sparse : bool
        Of most vehicles its state stays zeros: there is a row only where it does not.
    wakes : callable, optional
        Of a sparse kind: where a vehicle's state is zeros, fixes before the first that this tells change nothing and
        raise nothing; so it is judged over the other vehicles only. None where that is not known.
    """

    code: str
    zh: str
    en: str
    classes: str
    severity: Severity
    clause: str
    limits: Mapping[str, Default]
    state: np.dtype[np.void]
    examples: tuple[Example, ...]
    measures: Measures
    why: Why
    detect: Detect
    over: str
    scope: str
    tables: tuple[str, ...]
    fenced: Fenced | None
    warns: Words | None
    version: int
    sparse: bool
    wakes: Wakes | None

    def __str__(self) -> str:
        return self.code

    @property
    def family(self) -> str:
        """Folder its module stands in: speed, hours, place, ..."""
        return self.detect.__module__.split(".")[-2]

    @property
    def doc(self) -> str:
        """The rule in words."""
        return self.detect.__doc__ or ""


def kind(
    *,
    code: str,
    zh: str,
    en: str,
    classes: str,
    severity: Severity,
    clause: str,
    limits: Mapping[str, Default],
    state: np.dtype[np.void],
    examples: tuple[Example, ...],
    measures: Measures,
    why: Why,
    over: str = "fixes",
    scope: str = "vehicle",
    tables: tuple[str, ...] = (),
    fenced: Fenced | None = None,
    warns: Words | None = None,
    version: int = 1,
    sparse: bool = False,
    wakes: Wakes | None = None,
) -> Callable[[Detect], Kind]:
    """Make a catalogue entry of the function that decides it.

    Raises
    ------
    ValueError
        An unknown class letter, no example that raises, or none that does not; a sentence that differs by language;
        what wakes a kind whose state is not sparse.
    """
    if not classes or set(classes) - set(CLASSES):
        raise ValueError(f"{code}: classes must be letters of {CLASSES}, found {classes!r}")
    if not any(example.raised for example in examples) or all(example.raised for example in examples):
        raise ValueError(f"{code}: needs an example that raises and one that does not")
    if wakes is not None and not sparse:
        raise ValueError(f"{code}: only a sparse kind can be woken")
    why.check(code)

    def entry(detect: Detect) -> Kind:
        return Kind(
            code, zh, en, classes, severity, clause, limits, state, examples, measures, why, detect, over,
            scope, tables, fenced, warns, version, sparse, wakes,
        )  # fmt: skip

    return entry
