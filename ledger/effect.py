"""Effect: all that a batch of the log leaves behind, in one transaction or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import psycopg

from ingest.batch import Batch, Int8, Int32, no_fixes
from ingest.frames import Quarantined
from ledger import fixes, violations, warned
from ledger.casebook import Casebook, Episode, Withdrawal
from ledger.fixes import Origin
from ledger.positions import Position, move
from ledger.warned import Warned

Step = Callable[[str], None]
"""Told the name of each step when it is done; for timing."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What is to be remembered of a batch.

    Attributes
    ----------
    moves : dict
        Partition to its position before and after.
    batch : Batch, (n,)
    origin : Origin, (n,)
    vehicle_id : int32, (n,)
    verdict : uint8, (n,)
        Of each fix, ``gate.Verdict``.
    quarantined : sequence of Quarantined
    episodes : sequence of Episode
        In the order in which they were found.
    warnings : sequence of Warned
    withdrawals : sequence of Withdrawal
    """

    moves: dict[int, tuple[Position, Position]]
    batch: Batch
    origin: Origin
    vehicle_id: Int32
    verdict: Int8
    quarantined: Sequence[Quarantined]
    episodes: Sequence[Episode]
    warnings: Sequence[Warned] = ()
    withdrawals: Sequence[Withdrawal] = ()

    @classmethod
    def without_fixes(
        cls,
        moves: dict[int, tuple[Position, Position]],
        quarantined: Sequence[Quarantined],
        withdrawals: Sequence[Withdrawal] = (),
    ) -> Self:
        """Effect of frames that hold no positions."""
        none = np.zeros(0, np.int32)
        origin = Origin(none, none.astype(np.int64), none, none.astype(np.int64))
        return cls(moves, no_fixes(), origin, none, none.astype(np.uint8), quarantined, (), (), withdrawals)


def commit(connection: psycopg.Connection, effect: Effect, step: Step) -> Casebook | None:
    """Store an effect; when it returns it is durable, and it has happened once.

    Returns
    -------
    Casebook or None
        What became of the episodes or, in an effect without fixes, of what was withdrawn; None where there were none.

    Raises
    ------
    FenceError
        Another worker has been here; nothing was stored.
    psycopg.Error
        It is not known whether it was stored: read the positions again.
    """
    book = None
    with connection.transaction(), connection.cursor() as cursor:
        for partition, (before, after) in sorted(effect.moves.items()):
            move(cursor, partition, before, after)
        step("fence")
        if len(effect.batch):
            fixes.write(cursor, effect.batch, effect.origin, effect.vehicle_id, effect.verdict)
        step("fixes")
        if effect.quarantined:
            _quarantine(cursor, effect.quarantined)
        step("quarantine")
        if effect.episodes:
            book = violations.apply(cursor, effect.episodes)
        if effect.withdrawals:
            book = violations.withdraw(cursor, effect.withdrawals)
        step("violations")
        if effect.warnings:
            warned.keep(cursor, effect.warnings)
        step("warnings")
    step("commit")
    return book


def _quarantine(cursor: psycopg.Cursor, records: Sequence[Quarantined]) -> None:
    with cursor.copy(
        "COPY quarantine (log_partition, log_offset, log_row, received_ms, reason, detail, content) "
        "FROM STDIN (FORMAT binary)"
    ) as target:
        target.set_types(("int2", "int8", "int4", "int8", "text", "text", "bytea"))
        for frame, row, reason, detail, content in records:
            place = (frame.partition, frame.offset, row, frame.received_ms)
            target.write_row((*place, reason, detail.replace("\x00", "").encode(errors="replace").decode(), content))
