"""Casework against a plain reading of its table, by people at random and at once."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger import attachments, casework
from ledger.casework import (
    MOST_ATTACHMENTS,
    MOST_WORDS,
    BadMoveError,
    Count,
    IllegalMoveError,
    NoSuchCaseError,
    counts,
    history,
    make_move,
    open_case,
    risen,
    standing,
    system_move,
)
from ledger.database import connect
from ledger.moves import FINAL, MOVES, STATE_NAMES, State, legal, legal_in_words, table
from ledger.principal import CENTRE, Principal, Role
from ledger.violations import apply
from tests.ledger.made import episode, rows, vehicle
from tests.ledger.test_attachments import PNG

COMPANY = Principal(Role.COMPANY, "甲公司")
COUNTY = Principal(Role.COUNTY, "652301")
OPERATOR = Principal(Role.OPERATOR)
OTHERS = (Principal(Role.COMPANY, "乙公司"), Principal(Role.COUNTY, "652302"), Principal(Role.COMPANY, "652301"))
EVERYBODY = (COMPANY, COUNTY, CENTRE, OPERATOR)

READING = """
acknowledge  company  pushed  acknowledged  -  submit/opening
submit  company  acknowledged returned pushed  submitted  words  review/move
accept  county centre  submitted  accepted  -  review/move
return  county centre  submitted  returned  words  submit/move
close  county centre  accepted  closed  -  never
false_alarm  county centre operator  pushed acknowledged submitted returned appealed  false_alarm  words  never
appeal  company  pushed acknowledged returned  appealed  words  review/move
reject_appeal  county centre  appealed  acknowledged  words  submit/move
"""
"""The table, read by hand: move, who, from where, to where, whether words are needed, what is due since when."""

SYSTEM = {"supersede": "superseded", "withdraw": "withdrawn"}
ENDED = {"closed", "false_alarm", "superseded", "withdrawn"}
HOURS = {"acknowledge": {2: 24, 3: 12, 4: 2}, "submit": {2: 168, 3: 72, 4: 24}, "review": {2: 240, 3: 120, 4: 48}}


class Row:
    """A line of the reading."""

    def __init__(self, line: str) -> None:
        roles = {"company", "county", "centre", "operator"}
        name, *middle, to, words, due = line.split()
        self.name, self.to, self.words, self.due = name, to, words == "words", due
        self.who = [word for word in middle if word in roles]
        self.starts = [word for word in middle if word not in roles]


LINES = {row.name: row for row in map(Row, READING.strip().splitlines())}
_begins = count(1)


def case(connection: psycopg.Connection, severity: int = 2, opened: bool = True, **changes: Any) -> uuid.UUID:
    """A violation of 甲公司 in 652301, with its case."""
    begins_ms = 100_000_000 * next(_begins)
    span = {"begins_ms": begins_ms, "raised_ms": begins_ms, "ends_ms": begins_ms + 1}
    told = episode(vehicle(connection, "测A00001"), severity=severity, **span, **changes)
    with connection.transaction(), connection.cursor() as cursor:
        (id_,) = apply(cursor, [told]).changed
        if opened:
            assert open_case(cursor, id_, severity) == (severity > 1)
    return id_


@contextmanager
def inside(connection: psycopg.Connection) -> Iterator[psycopg.Cursor[Any]]:
    with connection.transaction(), connection.cursor() as cursor:
        yield cursor


def lead(connection: psycopg.Connection, id_: uuid.UUID, *moves: str) -> None:
    """Make moves, each by the first who may."""
    by = {"company": COMPANY, "county": COUNTY}
    for move in moves:
        make_move(connection, by[LINES[move].who[0]], "某人", id_, move, "因为")


PATHS = {
    "pushed": (), "acknowledged": ("acknowledge",), "submitted": ("submit",), "returned": ("submit", "return"),
    "accepted": ("submit", "accept"), "closed": ("submit", "accept", "close"), "appealed": ("appeal",),
    "false_alarm": ("false_alarm",),
}  # fmt: skip


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_table_is_the_reading() -> None:
    held = {
        row["move"]: (set(row["from"]), row["to"], set(row["who"]), row["words"])  # type: ignore[call-overload]
        for row in table()
        if row["who"] != ["system"]
    }
    assert held == {row.name: (set(row.starts), row.to, set(row.who), row.words) for row in LINES.values()}
    assert {str(state) for state in FINAL} == ENDED
    assert set(STATE_NAMES) == set(State)


def test_what_is_legal_for_whom() -> None:
    for state in State:
        for role in Role:
            expected = {row.name for row in LINES.values() if state in row.starts and role in row.who}
            assert {move.name for move in legal(state, role)} == expected
        zh, en = legal_in_words(state)
        for move in legal(state):
            assert move.zh in zh
            assert move.name in en


def test_every_state_leads_to_an_end_and_none_leads_on_from_there() -> None:
    ways = {state: {move.to for move in MOVES.values() if state in move.starts and move.to} for state in State}
    for state in State:
        reached = {state}
        while more := {to for one in reached for to in ways[one]} - reached:
            reached |= more
        assert bool(reached & FINAL)
        assert (state in FINAL) == (not ways[state])


# --- people at random ----------------------------------------------------------------------------------------------

STEPS = st.tuples(
    st.sampled_from([*EVERYBODY, *OTHERS]),
    st.sampled_from([*LINES, "open", "rise", "withdraw", "nonsense"]),
    st.sampled_from(["", " \n", "说明"]),
    st.sampled_from([None, 0, -1]),
)
MISHAPS = st.sampled_from(["supersede", "withdraw", 2, 3, 4])


class Plain:
    """A case as the reading has it."""

    def __init__(self, severity: int) -> None:
        self.state, self.number, self.severity = "pushed", 1, severity
        self.due: tuple[str, str] = ("acknowledge", "move")

    def judge(self, who: Principal, move: str, words: str, expected: int | None) -> type[Exception] | None:
        """What comes of a move; takes it where nothing is wrong with it."""
        row = LINES.get(move)
        if row is None or (row.words and not words.strip()):
            return BadMoveError
        if who in OTHERS:
            return NoSuchCaseError
        if self.state not in row.starts or who.role not in row.who or expected not in (None, self.number):
            return IllegalMoveError
        self.state, self.number = row.to, self.number + 1
        return None


def fold(moves: list[dict[str, Any]], severity: int) -> tuple[str, int, Any]:
    """State, number and due time after a list of moves, worked out from it alone."""
    state, due, graded = "", None, None
    for number, move in enumerate(moves, 1):
        assert move["number"] == number
        assert move["from_state"] == state
        at, name = move["made_at"], move["move"]
        if name == "open":
            state, due, graded = "pushed", at + timedelta(hours=HOURS["acknowledge"][severity]), at
        elif name == "rise":
            severity, graded = int(move["rises_to"]), at
            clock = {"pushed": "acknowledge", "acknowledged": "submit", "returned": "submit"}.get(state, "review")
            due = min(due, at + timedelta(hours=HOURS[clock][severity]))
        elif name in SYSTEM:
            state, due = SYSTEM[name], None
        else:
            row = LINES[name]
            assert state in row.starts
            state, (clock, _, since) = row.to, row.due.partition("/")
            due = None if clock == "never" else (graded if since == "opening" else at)
            due = due and due + timedelta(hours=HOURS[clock][severity])
        assert move["to_state"] == state
        assert move["due_at"] == due
    return state, len(moves), due


@given(
    severity=st.integers(2, 4),
    steps=st.lists(st.one_of(STEPS, STEPS, STEPS, MISHAPS), max_size=14),
)
@example(
    severity=2,
    steps=[
        (COMPANY, "acknowledge", "", None), 3, (COMPANY, "appeal", "无", None), (COUNTY, "reject_appeal", "否", None),
        (COMPANY, "submit", "已整改", None), 4, (COUNTY, "return", "不足", None), (COMPANY, "submit", "再交", None),
        (CENTRE, "accept", "", None), (COUNTY, "close", "", None), 4, "withdraw",
    ],
)  # fmt: skip
@example(severity=2, steps=[4, (COMPANY, "acknowledge", "", None)])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_moves_never_leave_the_table(database_url: str, severity: int, steps: list[Any]) -> None:
    with connect(database_url) as connection:
        id_ = case(connection, severity)
        plain, rises = Plain(severity), []
        for step in steps:
            if isinstance(step, tuple):
                who, move, words, ago = step
                expected = None if ago is None else plain.number + ago
                wrong = plain.judge(who, move, words, expected)
                if wrong is None:
                    assert make_move(connection, who, "某人", id_, move, words, expected=expected) == plain.state
                else:
                    with pytest.raises(wrong):
                        make_move(connection, who, "某人", id_, move, words, expected=expected)
                continue
            over = plain.state in ENDED
            with inside(connection) as cursor:
                if isinstance(step, str):
                    assert system_move(cursor, id_, step, "系统") != over
                    plain.state = plain.state if over else SYSTEM[step]
                else:
                    cursor.execute("UPDATE violations SET severity = %s WHERE id = %s", (step, id_))
                    assert risen(cursor, id_, step) != over
                    rises += [] if over else [step]
            plain.number += not over
        moves = history(connection, CENTRE, id_)
        for move in moves:
            move["rises_to"] = rises.pop(0) if move["move"] == "rise" else None
        stands = standing(connection, CENTRE, id_)
        assert fold(moves, severity) == (stands["state"], stands["number"], stands["due_at"])
        assert (stands["state"], stands["number"]) == (plain.state, plain.number)
        told = rows(database_url, "SELECT id, move FROM outbox WHERE violation_id = %s AND event = 'moved'", id_)
        moved = [move["number"] for move in moves if move["move"] not in ("open", "rise")]
        assert sorted(told) == sorted((uuid.uuid5(id_, f"move {number}"), number) for number in moved)
        audited = rows(database_url, "SELECT action FROM audit WHERE subject = %s ORDER BY number", str(id_))
        done = [f"case.{move['move']}" for move in moves if move["role"] != "system"]
        assert [action for (action,) in audited if action != "case.refuse"] == done


@pytest.mark.parametrize("state", PATHS)
def test_an_illegal_move_says_where_it_stands_and_what_is_legal_for_whom(database_url: str, state: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        lead(connection, id_, *PATHS[state])
        for row in LINES.values():
            if state in row.starts:
                continue
            with pytest.raises(IllegalMoveError) as error:
                make_move(connection, COMPANY if "company" in row.who else COUNTY, "某人", id_, row.name, "因为")
            assert (error.value.state, error.value.number) == (State(state), len(PATHS[state]) + 1)
            text = str(error.value)
            assert STATE_NAMES[State(state)][0] in text
            for other in (other for other in LINES.values() if state in other.starts):
                assert f"{other.name} ({', '.join(other.who)})" in text
            if state in ENDED:
                assert "已终结" in text
                assert "final" in text
        assert len(history(connection, CENTRE, id_)) == len(PATHS[state]) + 1


def test_a_move_that_is_another_roles(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        with pytest.raises(IllegalMoveError, match=r"不是您的操作.*acknowledge is not yours.*acknowledge \(company\)"):
            make_move(connection, COUNTY, "某人", id_, "acknowledge")


# --- tenants -------------------------------------------------------------------------------------------------------


def test_anothers_case_is_no_case(database_url: str) -> None:
    with connect(database_url) as connection:
        theirs, notice = case(connection), case(connection, severity=1)
        said = set()
        for who, id_ in ((OTHERS[0], theirs), (OTHERS[1], theirs), (COMPANY, uuid.uuid4()), (COMPANY, notice)):
            with pytest.raises(NoSuchCaseError) as error:
                make_move(connection, who, "某人", id_, "acknowledge")
            said.add(str(error.value))
            with pytest.raises(NoSuchCaseError):
                standing(connection, who, id_)
            assert history(connection, who, id_) == []
        assert len(said) == 1, "they cannot be told apart"
        refused = rows(
            database_url, "SELECT actor, detail ->> 'tenant', subject FROM audit WHERE action = 'case.refuse'"
        )
        assert ("某人", "乙公司", str(theirs)) in refused
        assert len(refused) == 4
        assert standing(connection, CENTRE, theirs)["number"] == 1
        assert rows(database_url, "SELECT count(*) FROM outbox WHERE event = 'moved'") == [(0,)]


def test_counts_are_of_ones_own(database_url: str) -> None:
    with connect(database_url) as connection:
        for path in PATHS.values():
            lead(connection, case(connection), *path)
        late = case(connection)
        case(connection, company="乙公司", county="652302")
        connection.execute("UPDATE cases SET due_at = now() - interval '1 s' WHERE violation_id = %s", (late,))
        mine = counts(connection, COMPANY)
        assert mine == {state: Count(1) for state in State} | {
            State.PUSHED: Count(2, 1), State.SUPERSEDED: Count(), State.WITHDRAWN: Count(),
        }  # fmt: skip
        assert counts(connection, COUNTY) == mine
        assert counts(connection, OPERATOR)[State.PUSHED] == Count(3, 1)
        assert counts(connection, OTHERS[1])[State.PUSHED] == Count(1)
        assert standing(connection, COMPANY, late)["overdue"]
        make_move(connection, COMPANY, "某人", late, "acknowledge")
        assert not standing(connection, COMPANY, late)["overdue"]


# --- at once -------------------------------------------------------------------------------------------------------


def waits(url: str, pid: int) -> bool:
    return rows(url, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", pid) == [("Lock",)]


def test_a_company_that_answers_twice_at_once_answers_once(database_url: str) -> None:
    with connect(database_url) as one, connect(database_url) as other:
        id_ = case(one)
        pid, ended = other.info.backend_pid, []

        def again() -> None:
            try:
                make_move(other, COMPANY, "乙", id_, "submit", "第二次")
            except IllegalMoveError as error:
                ended.append(error)

        thread = threading.Thread(target=again)
        with one.transaction():
            make_move(one, COMPANY, "甲", id_, "submit", "第一次")
            thread.start()
            until = time.monotonic() + 20
            while not waits(database_url, pid):
                assert time.monotonic() < until, "the second did not wait for the first"
        thread.join(20)
        (error,) = ended
        assert error.state is State.SUBMITTED
        assert error.number == 2
        assert [move["words"] for move in history(one, CENTRE, id_)] == ["", "第一次"]
        first, second = rows(database_url, "SELECT actor, action FROM audit ORDER BY number")
        assert (first, second) == (("甲", "case.submit"), ("乙", "case.refuse"))


def test_many_at_once_make_each_move_once(database_url: str) -> None:
    with connect(database_url) as connection:
        ids = [case(connection) for _ in range(5)]
    done: list[uuid.UUID] = []
    start = threading.Barrier(4)

    def work() -> None:
        with connect(database_url) as connection:
            start.wait()
            for id_ in ids:
                try:
                    make_move(connection, COMPANY, "某人", id_, "acknowledge")
                except IllegalMoveError:
                    continue
                done.append(id_)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == sorted(ids)


def test_opening_a_case_does_not_wait_for_a_batch(database_url: str) -> None:
    """Detection holds its violations until it commits; the router would wait, and two of them for each other."""
    with connect(database_url) as detecting, connect(database_url) as routing:
        id_ = case(detecting, opened=False)
        begins_ms = rows(database_url, "SELECT begins_ms FROM violations WHERE id = %s", id_)[0][0]
        routing.execute("SET lock_timeout = '2s'")
        with inside(detecting) as cursor:
            told = episode(1, begins_ms=begins_ms, raised_ms=begins_ms, ends_ms=begins_ms + 2, severity=3)
            assert apply(cursor, [told]).changed
            with inside(routing) as other:
                assert open_case(other, id_, 2)
        assert rows(database_url, "SELECT severity FROM violations WHERE id = %s", id_) == [(3,)]


def test_a_look_that_is_out_of_date(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        lead(connection, id_, "submit")
        with pytest.raises(IllegalMoveError, match=r"他人已先操作.*since you looked"):
            make_move(connection, COUNTY, "某人", id_, "accept", expected=1)
        assert make_move(connection, COUNTY, "某人", id_, "accept", expected=2) is State.ACCEPTED


# --- what is asked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("move", "words", "says"),
    [
        ("submit", "", "须填写说明"), ("submit", " \r\n\t", "须填写说明"),
        ("submit", "字" * (MOST_WORDS + 1), "longer than"),
        ("submit", "a\0b", "no text"), ("submit", "\ud800", "no text"), ("submit", "\x1b[31m", "no text"),
        ("open", "x", "no such move"), ("rise", "x", "no such move"), ("supersede", "x", "no such move"),
        ("", "x", "no such move"),
    ],
)  # fmt: skip
def test_what_is_no_move(database_url: str, move: str, words: str, says: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        with pytest.raises(BadMoveError, match=says):
            make_move(connection, COMPANY, "某人", id_, move, words)
        assert standing(connection, CENTRE, id_)["number"] == 1


def test_words_are_kept_as_they_are(database_url: str) -> None:
    words = "已教育　驾驶员\r\n<b>罚款</b> ' OR 1=1 -- %s {x} 👩‍👩‍👧" + "字" * 3900
    with connect(database_url) as connection:
        id_ = case(connection)
        make_move(connection, COMPANY, "某人", id_, "submit", f"  {words}\n")
        assert history(connection, COMPANY, id_)[-1]["words"] == words.replace("\r\n", "\n")
        make_move(connection, COUNTY, "某人", id_, "return", "字" * MOST_WORDS)


def test_attachments_hang_on_their_move(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        sha256 = attachments.store(connection, COMPANY, "某人", "a.png", [PNG])
        both = [("罚单.png", sha256), ("../b.PNG", sha256.upper())]
        make_move(connection, COMPANY, "某人", id_, "submit", "见附件", both)
        first, last = history(connection, COUNTY, id_)
        assert first["attachments"] == []
        shown = {"sha256": sha256, "media_type": "image/png", "size": len(PNG)}
        assert last["attachments"] == [{"name": "罚单.png", **shown}, {"name": "b.PNG", **shown}]


def test_a_move_whose_file_is_missing_is_not_made(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        for files in ([("a.png", "0" * 64)], [("a.png", "zz")]):
            with pytest.raises(attachments.AttachmentError, match="未上传"):
                make_move(connection, COMPANY, "某人", id_, "submit", "见附件", files)
        with pytest.raises(BadMoveError, match=f"{MOST_ATTACHMENTS} files"):
            make_move(connection, COMPANY, "某人", id_, "submit", "x", [("a.png", "0" * 64)] * (MOST_ATTACHMENTS + 1))
        assert standing(connection, CENTRE, id_)["state"] == "pushed"
        assert rows(database_url, "SELECT count(*) FROM outbox WHERE event = 'moved'") == [(0,)]


# --- what the router does ------------------------------------------------------------------------------------------


def test_a_notice_gets_its_case_when_it_rises(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection, severity=1)
        with inside(connection) as cursor:
            assert not risen(cursor, id_, 1)
            assert not system_move(cursor, id_, "withdraw")
            assert risen(cursor, id_, 3)
            assert not open_case(cursor, id_, 3)
        stands = standing(connection, COMPANY, id_)
        assert stands["due_at"] - stands["opened_at"] == timedelta(hours=12)


@pytest.mark.parametrize("move", ["open", "rise", "accept", "acknowledge"])
def test_the_program_makes_its_own_moves_only(database_url: str, move: str) -> None:
    with connect(database_url) as connection:
        id_ = case(connection)
        with pytest.raises(ValueError, match="no move of the program"), inside(connection) as cursor:
            system_move(cursor, id_, move)


def test_moves_are_kept_for_good(database_url: str) -> None:
    with connect(database_url) as connection:
        case(connection)
        for change in ("UPDATE case_moves SET actor = 'x'", "DELETE FROM case_moves", "TRUNCATE case_moves CASCADE"):
            with pytest.raises(psycopg.Error, match="never changed or removed"):
                connection.execute(change.encode())


def test_the_names_that_others_use_are_there() -> None:
    assert set(casework.__all__) <= set(vars(casework))
