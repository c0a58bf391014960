"""Episodes of a whole replay: the last revision of each, related, ordered, as they are printed."""

from collections.abc import Iterator, Mapping
from typing import Any

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import WARNED, Found, places
from detectors.kind import Kind

SUPERSEDED_BY = {"V01": "V04", "V02": "V04"}
"""Kind to the graver kind that takes its place where the two share an instant. Source: rulebook §6."""


class Episodes:
    """Collects what batches find; the latest revision of an episode wins."""

    def __init__(self, kinds: Mapping[str, Kind] = CATALOGUE) -> None:
        self.kinds = kinds
        self._latest: dict[str, dict[tuple[int, int], Any]] = {code: {} for code in kinds}

    def add(self, found: Mapping[str, Found]) -> None:
        """Take what one batch found."""
        for code, every in found.items():
            rows = every[every["fact"] != WARNED]
            keys = zip(rows["vehicle"].tolist(), rows["begins_ms"].tolist(), strict=True)
            self._latest[code].update(zip(keys, rows, strict=True))

    def __len__(self) -> int:
        return sum(map(len, self._latest.values()))

    def _spans(self, code: str) -> dict[int, list[tuple[int, int]]]:
        """Begin and end of each episode of a kind, by vehicle."""
        spans: dict[int, list[tuple[int, int]]] = {}
        for (vehicle, begins_ms), row in self._latest.get(code, {}).items():
            spans.setdefault(vehicle, []).append((begins_ms, int(row["ends_ms"])))
        return spans

    def records(self, engine: Engine) -> Iterator[dict[str, object]]:
        """Episodes as they are printed, by plate, plate colour, kind and begin.

        Source: rulebook §6, §8; ``docs/formats.md`` §3.
        """
        graver = {code: self._spans(code) for code in set(SUPERSEDED_BY.values())}
        names = engine.registry.vehicles.names
        order = sorted(
            (*names[vehicle], code, begins_ms, vehicle)
            for code, rows in self._latest.items()
            for vehicle, begins_ms in rows
        )
        for plate, color, code, begins_ms, vehicle in order:
            row = self._latest[code][vehicle, begins_ms]
            party = engine.party(code, row)
            record = {
                "kind": code,
                "plate": plate,
                "plate_color": color,
                "begins_ms": begins_ms,
                "raised_ms": int(row["raised_ms"]),
                "ends_ms": int(row["ends_ms"]),
                "severity": int(row["severity"]),
                "lead": bool(row["lead"]),
                "company": party.company,
                "county": party.county,
                "place_county": engine.place_county(row),
            } | self.kinds[code].measures(row)
            if code in SUPERSEDED_BY:
                spans = graver[SUPERSEDED_BY[code]].get(vehicle, ())
                if any(begins_ms <= end and begin <= record["ends_ms"] for begin, end in spans):  # type: ignore[operator]
                    record["superseded_by"] = SUPERSEDED_BY[code]
            record |= places(row, engine.registry)
            yield record
