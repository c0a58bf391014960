"""Moves: the one table of what may be done with a case, from which state, by whom. Pure.

Everything else about the course of a case is derived from `MOVES`: which states there are to leave,
which are final, what an error says is legal, what a screen offers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ledger.deadlines import Clock
from ledger.principal import Role


class State(StrEnum):
    """Where a case stands."""

    PUSHED = "pushed"
    ACKNOWLEDGED = "acknowledged"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    APPEALED = "appealed"
    FALSE_ALARM = "false_alarm"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


STATE_NAMES: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.PUSHED: ("待确认", "pushed, not yet acknowledged"),
        State.ACKNOWLEDGED: ("待整改", "acknowledged, rectification owed"),
        State.SUBMITTED: ("待审核", "rectification submitted"),
        State.RETURNED: ("退回整改", "returned"),
        State.ACCEPTED: ("整改通过", "rectification accepted"),
        State.CLOSED: ("已办结", "closed"),
        State.APPEALED: ("申诉中", "under appeal"),
        State.FALSE_ALARM: ("误报", "false alarm"),
        State.SUPERSEDED: ("已并入更严重违规", "superseded by a graver violation"),
        State.WITHDRAWN: ("已撤销", "withdrawn"),
    }
)
"""Chinese and English names."""

ROLE_NAMES: Mapping[Role, tuple[str, str]] = MappingProxyType(
    {
        Role.CENTRE: ("中心", "centre"),
        Role.OPERATOR: ("值班员", "operator"),
        Role.COUNTY: ("县级监管", "county"),
        Role.COMPANY: ("企业", "company"),
    }
)
"""Chinese and English names."""

CLOCKS: Mapping[State, Clock] = MappingProxyType(
    {
        State.PUSHED: Clock.ACKNOWLEDGE,
        State.ACKNOWLEDGED: Clock.SUBMIT,
        State.RETURNED: Clock.SUBMIT,
        State.SUBMITTED: Clock.REVIEW,
        State.APPEALED: Clock.REVIEW,
        State.ACCEPTED: Clock.REVIEW,
    }
)
"""What is waited for in a state; final states wait for nothing."""


@dataclass(frozen=True, slots=True)
class Move:
    """A row of the table.

    Attributes
    ----------
    name : str
    zh, en : str
        What it is called on a button and in an error.
    who : tuple of Role
        Who may make it; nobody: the program alone does.
    starts : tuple of State
        From where; none: it opens the case.
    to : State or None
        Where it leads; None: the case stays where it is.
    words : bool
        Whether a reason or an account must be given.
    anew : bool
        Whether the clock of the next step starts with the move, not with the case.
    """

    name: str
    zh: str
    en: str
    who: tuple[Role, ...]
    starts: tuple[State, ...]
    to: State | None
    words: bool = False
    anew: bool = True


_COMPANY = (Role.COMPANY,)
_AUTHORITY = (Role.COUNTY, Role.CENTRE)
_WATCH = (*_AUTHORITY, Role.OPERATOR)
_UNFINISHED = tuple(CLOCKS)
_S = State

MOVES: Mapping[str, Move] = MappingProxyType(
    {
        move.name: move
        for move in (
            Move("open", "推送", "open", (), (), _S.PUSHED),
            Move("acknowledge", "确认", "acknowledge", _COMPANY, (_S.PUSHED,), _S.ACKNOWLEDGED, anew=False),
            Move(
                "submit", "提交整改", "submit a rectification", _COMPANY,
                (_S.PUSHED, _S.ACKNOWLEDGED, _S.RETURNED), _S.SUBMITTED, words=True,
            ),
            Move("accept", "审核通过", "accept", _AUTHORITY, (_S.SUBMITTED,), _S.ACCEPTED),
            Move("return", "退回", "return", _AUTHORITY, (_S.SUBMITTED,), _S.RETURNED, words=True),
            Move("close", "办结", "close", _AUTHORITY, (_S.ACCEPTED,), _S.CLOSED),
            Move(
                "false_alarm", "判为误报", "judge it a false alarm", _WATCH,
                (_S.PUSHED, _S.ACKNOWLEDGED, _S.SUBMITTED, _S.RETURNED, _S.APPEALED), _S.FALSE_ALARM, words=True,
            ),
            Move(
                "appeal", "申诉", "appeal", _COMPANY,
                (_S.PUSHED, _S.ACKNOWLEDGED, _S.RETURNED), _S.APPEALED, words=True,
            ),
            Move(
                "reject_appeal", "驳回申诉", "reject the appeal", _AUTHORITY,
                (_S.APPEALED,), _S.ACKNOWLEDGED, words=True,
            ),
            Move("rise", "升级", "rise", (), _UNFINISHED, None),
            Move("supersede", "并入", "supersede", (), _UNFINISHED, _S.SUPERSEDED),
            Move("withdraw", "撤销", "withdraw", (), _UNFINISHED, _S.WITHDRAWN),
        )
    }
)  # fmt: skip
"""The table: moves by name. An appeal stops the company's clock; where it is rejected, the time to submit
begins anew, as it does after a return. An appeal is upheld by judging the violation a false alarm."""

FINAL = frozenset(State) - frozenset(_UNFINISHED)
"""States that nothing leads out of."""


def legal(state: State, role: Role | None = None) -> Iterator[Move]:
    """Moves that people may make from a state: all, or those of a role."""
    return (move for move in MOVES.values() if move.who and state in move.starts and (role or move.who[0]) in move.who)


def legal_in_words(state: State) -> tuple[str, str]:
    """What may be done from a state, and by whom, in Chinese and in English."""
    moves = list(legal(state))
    if not moves:
        return "案件已终结，不可再操作", "the case is final, nothing can be done any more"
    zh = "；".join(f"{move.zh}（{'、'.join(ROLE_NAMES[role][0] for role in move.who)}）" for move in moves)
    en = "; ".join(f"{move.name} ({', '.join(ROLE_NAMES[role][1] for role in move.who)})" for move in moves)
    return f"现可操作：{zh}", f"legal now: {en}"


def table() -> Iterator[dict[str, object]]:
    """Rows of the table as plain values, to print or to show."""
    for move in MOVES.values():
        yield {
            "move": move.name,
            "zh": move.zh,
            "en": move.en,
            "from": [str(state) for state in move.starts],
            "to": str(move.to or ""),
            "who": [str(role) for role in move.who] or ["system"],
            "words": move.words,
        }
