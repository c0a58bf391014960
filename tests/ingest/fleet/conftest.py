"""One fleet for a day, made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.fleet import Summary, generate
from tests.reading.positions import Fix, Positions


@dataclass(frozen=True)
class Made:
    """A fleet's files, and its fixes as the independent reading sees them."""

    folder: Path
    summary: Summary
    fixes: list[Fix]
    progress: list[float]


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A hundred and fifty vehicles, 24 hours."""
    folder = tmp_path_factory.mktemp("fleet")
    progress: list[float] = []
    summary = generate(folder, vehicles=150, hours=24, seed=3, progress=progress.append)
    return Made(folder, summary, list(Positions(summary.positions)), progress)
