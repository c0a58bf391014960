"""A process of its own that appends to a log or reads it, until it is killed.

``append``: one line for each batch that the log has taken, its number. ``read``: one line for each change of
what is assigned to it.
"""

import sys
from itertools import count

from ingest.log import POSITIONS, Log, NewFrame
from tests.conformance.implementations import open_log


def batch_of(writer: str, number: int, partitions: int) -> list[NewFrame]:
    """The frames of a writer's batch: the same wherever they are asked for."""
    return [
        NewFrame(place % partitions, POSITIONS, number, f"{writer}:{number}:{place}".encode())
        for place in (number, number + 1, number, number + 3)
    ]


def append(log: Log, writer: str) -> None:
    for number in count():
        log.append(batch_of(writer, number, log.partitions))
        print(number, flush=True)


def read(log: Log) -> None:
    before: frozenset[int] | None = None
    with log.reader() as reader:
        while True:
            reader.poll(0.2)
            if reader.assigned != before:
                before = reader.assigned
                print(",".join(map(str, sorted(before))), flush=True)


if __name__ == "__main__":
    name, address, patience_s, role, *rest = sys.argv[1:]
    log = open_log(name, address, float(patience_s))
    if role == "append":
        append(log, *rest)
    else:
        read(log)
