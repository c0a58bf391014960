"""Views: rows of the ledger as the API tells them, with names beside codes."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from detectors.catalogue import CATALOGUE
from detectors.counted import Counted
from detectors.explain import explain, warned
from ingest.registry import Vehicle
from ledger.directory import MODULE_OF, Directory
from ledger.moves import MOVES, STATE_NAMES, State, legal
from ledger.principal import Principal, Role

Row = Mapping[str, Any]


def violations(rows: Iterable[Row], directory: Directory, now_ms: int) -> list[dict[str, Any]]:
    """Violations of `Shown.page`."""
    rows = list(rows)
    owners = directory.parties([Vehicle(row["plate"], row["plate_color"]) for row in rows], now_ms).tolist()
    parties = directory.registry.parties
    return [_violation(row, parties[owner].kind, directory) for row, owner in zip(rows, owners, strict=True)]


def _violation(row: Row, letter: str, directory: Directory) -> dict[str, Any]:
    taken = (
        "id", "plate", "plate_color", "begins_ms", "raised_ms", "ends_ms", "severity", "lead", "status",
        "company", "county", "place_county", "lon", "lat", "revision", "superseded_by",
    )  # fmt: skip
    return {name: row[name] for name in taken} | {
        **_kind(row["kind"]),
        "vehicle_class": letter or None,
        "module": MODULE_OF.get(letter),
        "company_name": directory.company_name(row["company"]),
        "county_name": directory.county_name(row["county"]),
        "place_county_name": directory.county_name(row["place_county"]),
        "case": _case(row) if row["state"] else None,
    }


def _case(row: Row) -> dict[str, Any]:
    return {
        **state_names(row["state"]),
        "moves": row["moves"],
        "due_at": row["due_at"],
        "overdue": row["overdue"],
        "opened_at": row["opened_at"],
    }


def state_names(state: str) -> dict[str, str]:
    """A state with its names."""
    zh, en = STATE_NAMES[State(state)]
    return {"state": state, "state_zh": zh, "state_en": en}


def explanation(row: Row, directory: Directory) -> dict[str, Any] | None:
    """Why a violation is one; None where its kind is not in this program's catalogue.

    Parameters
    ----------
    directory : Directory
        Of the registry that it was found under: its parameters are those that counted.
    """
    kind = CATALOGUE.get(row["kind"])
    if kind is None:
        return None
    named = {fence.id: fence.name for fence in directory.registry.fences if fence.name}
    parameters = Counted(directory.registry).of(
        kind, row["plate"], row["plate_color"], row["begins_ms"], row["measures"].get("fence", "")
    )
    fence_name = named.get(str(row["measures"].get("fence")), "")
    roads = {road.id: road.name for road in directory.registry.roads if road.name}
    names = {"fence_name": fence_name, "road_name": roads.get(str(row["measures"].get("road")), "")}
    return asdict(explain(kind, {**row, **names, "parameters": parameters}))


def _kind(code: str) -> dict[str, str]:
    """A kind with its names."""
    kind = CATALOGUE.get(code)
    return {"kind": code, "kind_zh": kind.zh if kind else code, "kind_en": kind.en if kind else code}


def warnings(rows: Iterable[Row], directory: Directory) -> list[dict[str, Any]]:
    """Warnings of `Shown.warnings`."""
    return [_warning(row, directory) for row in rows]


def _warning(row: Row, directory: Directory) -> dict[str, Any]:
    kind = CATALOGUE.get(row["kind"])
    zh, en = warned(kind, row["measures"]) if kind else ("", "")
    return {
        **row,
        **_kind(row["kind"]),
        "company_name": directory.company_name(row["company"]),
        "county_name": directory.county_name(row["county"]),
        "place_county_name": directory.county_name(row["place_county"]),
        "words": {"zh": zh, "en": en},
    }


def outcome(row: Row) -> dict[str, Any]:
    """What became of the warnings of a kind, of `Shown.outcomes`."""
    decided = row["happened"] + row["averted"]
    return {**row, **_kind(row["kind"]), "averted_ratio": row["averted"] / decided if decided else None}


def known_login(login: str, row: Row, principal: Principal) -> str:
    """Who did something, for those of the same party and the centre; to others, empty: logins are not theirs."""
    own = (row["role"], row["tenant"]) == (principal.role, principal.tenant)
    return login if own or row["role"] == "system" or principal.role in (Role.CENTRE, Role.OPERATOR) else ""


def move(row: Row, directory: Directory, principal: Principal) -> dict[str, Any]:
    """A move of `casework.history`, as a principal may see it."""
    known = MOVES.get(row["move"])
    zh, en = STATE_NAMES[State(row["to_state"])]
    return {
        **row,
        "actor": known_login(row["actor"], row, principal),
        "move_zh": known.zh if known else row["move"],
        "move_en": known.en if known else row["move"],
        "to_state_zh": zh,
        "to_state_en": en,
        "tenant_name": directory.tenant_name(row["role"], row["tenant"]),
        "attachments": [{**file, "bytes": file["size"]} for file in row["attachments"]],
    }


def legal_moves(state: str, role: Role) -> list[dict[str, Any]]:
    """What a role may do with a case in a state."""
    return [
        {
            "move": one.name,
            "zh": one.zh,
            "en": one.en,
            "words_required": one.words,
            "to_state": str(one.to or state),
        }
        for one in legal(State(state), role)
    ]


def report(row: Row, directory: Directory) -> dict[str, Any]:
    """A report of `reports.listed` or `reports.read`."""
    facts = row.get("facts") or {}
    return {
        **row,
        "county_name": directory.county_name(row["county"]),
        "company_name": directory.company_name(row["company"]),
        "newest": row.get("newest", True),
        "first_read_at": row.get("first_read_at"),
        "party": row["party"] if "party" in row else facts.get("party"),
        "totals": row["totals"] if "totals" in row else facts.get("totals"),
    }


def happened(row: Row, card: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and content of an event of `Shown.events`, with the violation as it stands."""
    told = {"number": row["number"], "at": row["at"], "violation": card}
    if row["event"] != "moved":
        return "violation", {**told, "event": row["event"]}
    known = MOVES.get(row["move"])
    return "case", told | {
        "move": row["move"],
        "move_zh": known.zh if known else row["move"],
        "move_en": known.en if known else row["move"],
        **{name: row[name] for name in ("from_state", "to_state", "role")},
    }


def issued(row: Row, directory: Directory) -> dict[str, Any]:
    """Content of an event of `Shown.issued`."""
    told = {**row, "number": row["report_number"]}
    at = told.pop("at")
    del told["report_number"]
    return {"number": row["number"], "at": at, "report": report(told, directory)}
