"""Both readings of one input, in one shape, to be compared."""

import json
from pathlib import Path
from typing import Any

from api import replay as fast
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.kind import Kind
from ingest.profile import DEFAULT, Profile
from ingest.registry import read_registry
from tests.reading.replay import replay as plain

Judged = tuple[list[dict[str, Any]], dict[str, int]]
"""Episodes, and how many fixes met which fate."""


READ = frozenset(f"V{number:02}" for number in range(1, 35))
"""Kinds that the second reader has read; the comparison is about them."""

PLACED = READ - {"V18", "V22", "V26"}
"""Those of them whose fence both readings tell."""


def read_kinds() -> dict[str, Kind]:
    """The catalogue's entries that both readings have."""
    return {code: kind for code, kind in CATALOGUE.items() if code in READ}


def product(positions: Path, registry: Path, profile: Profile = DEFAULT) -> Judged:
    """Judge a file as the product does."""
    with positions.open("rb") as file:
        episodes, summary = fast.replay(
            file, positions.name, Engine(read_registry(registry), read_kinds(), daily=True), profile=profile
        )
    counts = {**summary.rejects.counts, "accepted": summary.accepted, "unknown_vehicle": summary.unregistered}
    return list(episodes), {reason: count for reason, count in counts.items() if count}


def reading(positions: Path, registry: Path) -> Judged:
    """Judge a file as the second reader does, fix by fix."""
    found = plain(positions, registry)
    episodes = [dict(episode) for episode in found.episodes if episode["kind"] in READ]
    return episodes, {k: v for k, v in found.counts.items() if v}


def shared(episodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Episodes without what only the product adds."""
    return [
        {k: v for k, v in episode.items() if k != "place_county" and (k != "fence" or episode["kind"] in PLACED)}
        for episode in episodes
    ]


def printed(episodes: list[dict[str, Any]]) -> str:
    """Episodes one a line, for a readable difference."""
    return "\n".join(json.dumps(episode, ensure_ascii=False, sort_keys=True) for episode in episodes)


def assert_agree(positions: Path, registry: Path) -> list[dict[str, Any]]:
    """Assert that both readings find the same; return what they find."""
    own, own_counts = product(positions, registry)
    other, other_counts = reading(positions, registry)
    assert own_counts == other_counts
    assert shared(own) == other, f"{printed(shared(own))}\n---\n{printed(other)}"
    return own
