"""Casework: cases are opened by the router, moved by those concerned, and remembered move by move.

A move is made under the lock of its case, bound to the principal who makes it; the move, where the case
stands after it, what is owed to those concerned and the audit row are one transaction.
"""

import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row, tuple_row

from ledger import attachments as files
from ledger import audit
from ledger.database import in_words, query
from ledger.deadlines import LEAST_SEVERITY, LIMITS, due_at, tightened
from ledger.moves import CLOCKS, FINAL, MOVES, STATE_NAMES, Move, State, legal_in_words
from ledger.principal import Principal

__all__ = [
    "BadMoveError", "Count", "IllegalMoveError", "NoSuchCaseError", "State", "counts", "history", "make_move",
    "open_case", "risen", "standing", "system_move",
]  # fmt: skip

SYSTEM = "warnloop"
"""Actor of moves that nobody makes."""

MOST_WORDS = 4_000
"""Characters of an account or a reason."""

MOST_ATTACHMENTS = 10
"""Files of one move."""


class NoSuchCaseError(LookupError):
    """There is no such case, or it is not this principal's."""

    def __init__(self) -> None:
        super().__init__("无此案件 there is no such case")


class BadMoveError(ValueError):
    """What is asked is no move at all: an unknown name, words missing or too long, files that are not there."""


class IllegalMoveError(ValueError):
    """The case does not stand where this move begins, or it is another's to make.

    Attributes
    ----------
    state : State
        Where the case stands now.
    number : int
        Of its last move.
    """

    def __init__(self, state: State, number: int, why_zh: str, why_en: str) -> None:
        self.state, self.number = state, number
        (zh, en), (now_zh, now_en) = STATE_NAMES[state], legal_in_words(state)
        super().__init__(f"当前状态为“{zh}”，{why_zh}。{now_zh}。 The case stands at “{en}”: {why_en}; {now_en}.")


@dataclass(frozen=True, slots=True)
class _Case:
    """A case that is locked; how grave its violation is only where a principal's was asked for."""

    violation_id: uuid.UUID
    state: str
    moves: int
    due_at: datetime | None
    severity: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """How many cases stand in a state, and how many of them are overdue."""

    cases: int = 0
    overdue: int = 0


# --- what the router does ------------------------------------------------------------------------------------------


def open_case(cursor: psycopg.Cursor[Any], violation_id: uuid.UUID, severity: int) -> bool:
    """Open the case of a violation in the cursor's transaction; whether there is a new one.

    None is opened for a notice, and none twice.
    """
    if severity < LEAST_SEVERITY:
        return False
    within = LIMITS[CLOCKS[State.PUSHED]][severity]
    opened = {"id": violation_id, "state": State.PUSHED, "move": "open", "actor": SYSTEM, "within": within}
    return cursor.execute(query("inner/case_open"), opened).rowcount == 1


def risen(cursor: psycopg.Cursor[Any], violation_id: uuid.UUID, severity: int) -> bool:
    """Let a violation's case know that it rose to a severity: what is due is due sooner; whether there was a change.

    A violation that was a notice gets its case now.
    """
    if severity < LEAST_SEVERITY:
        return False
    case = _locked(cursor, violation_id)
    if case is None:
        return open_case(cursor, violation_id, severity)
    state = State(case.state)
    if state in FINAL:
        return False
    now, _ = _clock(cursor, violation_id)
    due = tightened(case.due_at, CLOCKS[state], severity, now)
    _write(cursor, case, MOVES["rise"], state, due, now)
    return True


def system_move(cursor: psycopg.Cursor[Any], violation_id: uuid.UUID, move: str, words: str = "") -> bool:
    """Supersede or withdraw a case in the cursor's transaction; False where there is no open one.

    Raises
    ------
    ValueError
        The move is not the program's to make.
    """
    chosen = MOVES[move]
    if chosen.who or chosen.to is None or not chosen.starts:
        raise ValueError(f"{move} is no move of the program alone")
    case = _locked(cursor, violation_id)
    if case is None or State(case.state) in FINAL:
        return False
    now, _ = _clock(cursor, violation_id)
    number = _write(cursor, case, chosen, chosen.to, None, now, words=words)
    _tell(cursor, violation_id, number)
    return True


# --- what people do --------------------------------------------------------------------------------------------------


def make_move(
    connection: psycopg.Connection,
    principal: Principal,
    actor: str,
    violation_id: uuid.UUID,
    move: str,
    words: str = "",
    attachments: Sequence[tuple[str, str]] = (),
    expected: int | None = None,
) -> State:
    """Make a move on behalf of a principal, in a transaction of its own.

    Parameters
    ----------
    actor : str
        Login or key that asks.
    move : str
        A name of `moves.MOVES`.
    words : str
        Account or reason, up to `MOST_WORDS` characters; required where the table says so.
    attachments : sequence of (str, str)
        Name and SHA-256 (hexadecimal) of files that are stored, up to `MOST_ATTACHMENTS`.
    expected : int, optional
        Number of the last move that the actor has seen; refused where there has been another since.

    Returns
    -------
    State
        Where the case stands now.

    Raises
    ------
    NoSuchCaseError
        Unknown, without a case, or another tenant's: not to be told apart.
    IllegalMoveError
        Not from here, or not theirs to make; says what is legal now and for whom. Leaves an audit row.
    BadMoveError
    DatabaseError
    """
    chosen, words = _asked(move, words, attachments)
    with in_words():
        try:
            with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                return _make(cursor, principal, actor, violation_id, chosen, words, attachments, expected)
        except (NoSuchCaseError, IllegalMoveError) as refusal:
            with connection.transaction(), connection.cursor() as cursor:
                detail = {"move": move, "role": principal.role, "tenant": principal.tenant, "reason": str(refusal)}
                audit.write(cursor, actor, "case.refuse", str(violation_id), detail)
            raise


def _make(
    cursor: psycopg.Cursor[Any],
    principal: Principal,
    actor: str,
    violation_id: uuid.UUID,
    move: Move,
    words: str,
    attachments: Sequence[tuple[str, str]],
    expected: int | None,
) -> State:
    case = _locked(cursor, violation_id, principal)
    if case is None:
        raise NoSuchCaseError
    state = State(case.state)
    if state not in move.starts:
        raise IllegalMoveError(state, case.moves, f"不能“{move.zh}”", f"{move.name} is not possible")
    if principal.role not in move.who:
        raise IllegalMoveError(state, case.moves, f"“{move.zh}”不是您的操作", f"{move.name} is not yours to make")
    if expected is not None and expected != case.moves:
        raise IllegalMoveError(state, case.moves, "他人已先操作，请先查看", "it has been moved since you looked")
    to = move.to or state
    now, graded_at = _clock(cursor, violation_id)
    due = due_at(CLOCKS.get(to), case.severity, now if move.anew else graded_at)
    number = _write(cursor, case, move, to, due, now, actor=actor, principal=principal, words=words)
    names = files.hang(cursor, principal, violation_id, number, attachments)
    _tell(cursor, violation_id, number)
    detail = {
        "number": number, "from": state, "to": to, "role": principal.role, "tenant": principal.tenant,
        "words": words, "attachments": [[name, sha256] for name, (_, sha256) in zip(names, attachments, strict=True)],
    }  # fmt: skip
    audit.write(cursor, actor, f"case.{move.name}", str(violation_id), detail)
    return to


def _asked(move: str, words: str, attachments: Sequence[tuple[str, str]]) -> tuple[Move, str]:
    """The move that is asked for, and its words as they will be kept."""
    chosen = MOVES.get(move)
    if chosen is None or not chosen.who:
        known = "、".join(one.name for one in MOVES.values() if one.who)
        raise BadMoveError(f"无此操作 there is no such move, there are: {known}")
    words = words.replace("\r\n", "\n").strip()
    if len(words) > MOST_WORDS:
        raise BadMoveError(f"说明超过{MOST_WORDS}字 the words are longer than {MOST_WORDS} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in words):
        raise BadMoveError("说明含控制字符 the words hold characters that are no text")
    if chosen.words and not words:
        raise BadMoveError(f"“{chosen.zh}”须填写说明 words are required to {chosen.en}")
    if len(attachments) > MOST_ATTACHMENTS:
        raise BadMoveError(f"附件超过{MOST_ATTACHMENTS}个 more than {MOST_ATTACHMENTS} files")
    return chosen, words


# --- what is read ----------------------------------------------------------------------------------------------------


def standing(connection: psycopg.Connection, principal: Principal, violation_id: uuid.UUID) -> dict[str, Any]:
    """Where a case stands: ``state``, ``number`` of its last move, ``due_at``, ``opened_at``, ``overdue``.

    Raises
    ------
    NoSuchCaseError, DatabaseError
    """
    for row in _rows(connection, principal, "case_read", id=violation_id):
        return row
    raise NoSuchCaseError


def history(connection: psycopg.Connection, principal: Principal, violation_id: uuid.UUID) -> list[dict[str, Any]]:
    """All moves of a case with their attachments, oldest first; none where it is not the principal's to see."""
    return list(_rows(connection, principal, "case_moves", id=violation_id))


def counts(connection: psycopg.Connection, principal: Principal) -> dict[State, Count]:
    """Cases of a principal by state, all states, and how many are overdue."""
    found = {State(row["state"]): row for row in _rows(connection, principal, "case_counts")}
    return {
        state: Count(found[state]["cases"], found[state]["overdue"]) if state in found else Count() for state in State
    }


def _rows(
    connection: psycopg.Connection, principal: Principal, name: str, **parameters: Any
) -> Iterator[dict[str, Any]]:
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        yield from cursor.execute(query(f"shown/{name}"), {**parameters, **principal.scope})


# --- how it is kept --------------------------------------------------------------------------------------------------


def _locked(cursor: psycopg.Cursor[Any], violation_id: uuid.UUID, principal: Principal | None = None) -> _Case | None:
    """The case, locked until commit; of a principal only where it is theirs."""
    name, scope = ("inner/case_lock", {}) if principal is None else ("shown/case_lock", principal.scope)
    with cursor.connection.cursor(row_factory=class_row(_Case)) as rows:
        return rows.execute(query(name), {"id": violation_id, **scope}).fetchone()


def _clock(cursor: psycopg.Cursor[Any], violation_id: uuid.UUID) -> tuple[datetime, datetime]:
    """The time now, and since when the violation has been as grave as it is."""
    row = cursor.execute(query("inner/case_clock"), {"id": violation_id, "grading": ["open", "rise"]}).fetchone()
    assert row is not None, "an aggregate has a row"  # noqa: S101 - for the type checker
    return row[0], row[1]


def _write(
    cursor: psycopg.Cursor[Any],
    case: _Case,
    move: Move,
    to: State,
    due: datetime | None,
    at: datetime,
    *,
    actor: str = SYSTEM,
    principal: Principal | None = None,
    words: str = "",
) -> int:
    """Keep a move and where the case stands after it; returns its number."""
    cursor.execute(
        query("inner/case_move"),
        {
            "id": case.violation_id, "move": move.name, "from_state": case.state, "to_state": to,
            "due_at": due, "at": at, "actor": actor, "role": principal.role if principal else "system",
            "tenant": principal.tenant if principal else "", "words": words,
        },
    )  # fmt: skip
    return case.moves + 1


def _tell(cursor: psycopg.Cursor[Any], violation_id: uuid.UUID, number: int) -> None:
    """Owe a move to those concerned."""
    cursor.execute(
        "INSERT INTO outbox (id, violation_id, event, move) VALUES (%s, %s, 'moved', %s)",
        (uuid.uuid5(violation_id, f"move {number}"), violation_id, number),
    )
