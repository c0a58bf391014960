"""Fitness: whether the rules can go by a registry: parameters that there are, in their range; kinds and fences."""

from collections.abc import Collection, Mapping

from detectors.activity import DRIVING
from detectors.catalogue import CATALOGUE
from detectors.engine import GROUPS, Engine
from detectors.exemptions import EVERY
from detectors.kind import Kind
from detectors.limits import ROAD_LIMIT, Default, check_override
from detectors.roads import ROAD_MATCH
from ingest.faults import Fault
from ingest.registry import Source, read_override
from ingest.table import RegistryError, Row

SHARED: Mapping[str, Mapping[str, Default]] = {
    "road_limit": ROAD_LIMIT,
    "road_match": ROAD_MATCH,
    "driving": DRIVING,
}
"""Groups of parameters that several kinds go by."""


def find_unfit(source: Source, kinds: Mapping[str, Kind] = CATALOGUE) -> list[Fault]:
    """Rows, each sound by itself, that no rule can go by."""
    fences = {feature.fence().id for feature in source.maps.get("fences", ())}
    found = []
    for table, check in (("parameters", _parameter), ("exemptions", _exemption)):
        for row in source.tables.get(table, ()):
            try:
                check(row, fences, kinds)
            except RegistryError as error:
                found.append(Fault(row, error))
    return found


def _parameter(row: Row, fences: Collection[str], kinds: Mapping[str, Kind]) -> None:
    override = read_override(row)
    if override.group not in GROUPS:
        row.fail("group", f"one of {', '.join(GROUPS)}")
    kind = kinds.get(override.group)
    defaults = SHARED[override.group] if kind is None else kind.limits
    check_override(override, defaults, fences if kind is not None and kind.fenced is not None else None)


def _exemption(row: Row, fences: Collection[str], kinds: Mapping[str, Kind]) -> None:
    if row.text("kind") not in (EVERY, *kinds):
        row.fail("kind", f"{EVERY} for all, or one of {', '.join(kinds)}")
    if row.text("fence") and row.text("fence") not in fences:
        row.fail("fence", "the id of a fence of the registry")


def check_together(source: Source) -> None:
    """See that rows that are sound and fit make sense together: whatever an engine refuses is refused here.

    Raises
    ------
    RegistryError
    """
    Engine(source.registry())
