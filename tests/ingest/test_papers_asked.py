"""What kinds ask of papers: all that hold, and until when they go on, against a plain reading."""

from pathlib import Path
from random import Random

import numpy as np

from ingest.moment import ALWAYS_TO_MS
from ingest.papers import SORTS, Papers
from ingest.table import Row

HOUR_MS = 3_600_000
FIRST_MS = 1_772_380_800_000
"""2026-03-02T00:00:00+08:00."""


def made(spans: list[tuple[int, int | None]], table: str = "waybills") -> Papers:
    rows = [
        Row(
            Path(),
            2 + line,
            {
                "number": f"N{line}",
                "valid_from": str(FIRST_MS + begin * HOUR_MS),
                "valid_to": "" if end is None else str(FIRST_MS + end * HOUR_MS),
            },
        )
        for line, (begin, end) in enumerate(spans)
    ]
    return Papers(SORTS[table], rows, [line % 3 for line in range(len(rows))])


def test_every_row_that_holds() -> None:
    random = Random(5)
    for _ in range(50):
        spans = [(begin := random.randrange(20), begin + 1 + random.randrange(9)) for _ in range(random.randrange(30))]
        papers = made(list(spans))
        holder = np.arange(4, dtype=np.int32).repeat(30)
        time_ms = FIRST_MS + np.tile(np.arange(30), 4) * HOUR_MS
        columns = list(papers.every(holder, time_ms))
        for at, (who, moment) in enumerate(zip(holder.tolist(), time_ms.tolist(), strict=True)):
            found = sorted(int(column[at]) for column in columns if column[at] >= 0)
            assert found == [
                row
                for row in range(len(papers))
                if papers.holder[row] == who and papers.from_ms[row] <= moment < papers.to_ms[row]
            ]


def test_lasting_follows_papers_without_a_break() -> None:
    papers = made([(0, 5), (0, 5), (0, None), (5, 9), (6, 9), (3, 4), (8, 12)])
    end = papers.lasting(np.arange(len(papers), dtype=np.int32))
    assert ((end[:2] - FIRST_MS) // HOUR_MS).tolist() == [12, 5]
    assert end[2] == ALWAYS_TO_MS
    assert ((end[3:] - FIRST_MS) // HOUR_MS)[[0, 1, 3]].tolist() == [12, 9, 12]


def test_a_column_is_read_once() -> None:
    papers, seen = made([(0, 1), (1, 2)]), list[str]()

    def read(text: str) -> int:
        seen.append(text)
        return len(text)

    assert papers.column("number", read, np.int64).tolist() == [2, 2, 0]
    assert papers.column("number", read, np.int64).tolist() == [2, 2, 0]
    assert seen == ["N0", "N1", ""]
