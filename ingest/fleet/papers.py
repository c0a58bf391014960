"""Papers: all that the law asks for what vehicles and staff do, but for what is planted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from ingest.fleet.columns import CLASSES, Ints
from ingest.fleet.elsewhere import elsewhere
from ingest.fleet.labels import plate
from ingest.fleet.places import TOWNS
from ingest.fleet.roads import to_deg
from ingest.fleet.roster import PAIR, Roster
from ingest.fleet.routes import routes
from ingest.fleet.shift import HOUR
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tracks import Tracks

Table = tuple[str, Iterator[str]]
"""Head and rows of a CSV file."""

_DOCUMENTS = ("operation_permit", "annual_review", "inspection", "compulsory_insurance", "carrier_insurance")
_FRESH_DAYS = 60
"""What is in order lasts so much longer than the run, at least [d]."""


class Papers:
    """Rows of the tables of papers.

    Parameters
    ----------
    roster, tracks
        The fleet.
    who : ndarray
        The vehicles whose papers are wanted.
    first, days : date, int
        The run's first Beijing day, and on how many the papers are in order.
    """

    def __init__(self, roster: Roster, tracks: Tracks, who: Ints, first: date, days: int) -> None:
        self._roster, self._tracks, self._first, self._days = roster, tracks, first, days
        self._who: list[int] = who.tolist()
        self._pair = roster.has(PAIR)
        self._names = [f"{plate(roster, v)},{roster.color[v]}" for v in range(len(roster))]
        self._letters = [CLASSES[k] for k in roster.cls]
        self._wrong = [SHIFTS[k].paper for k in roster.shift]

    def tables(self) -> dict[str, Table]:
        """Every table by its name."""
        return {
            "status": ("plate,plate_color,status,valid_from,valid_to", self._status()),
            "documents": ("plate,plate_color,document,number,valid_from,valid_to", self._documents()),
            "permits": ("plate,plate_color,permit,number,fence,valid_from,valid_to", self._permits()),
            "waybills": ("plate,plate_color,number,goods,valid_from,valid_to", self._waybills()),
            "charters": ("plate,plate_color,number,route,counties,valid_from,valid_to", self._charters()),
            "assignments": ("plate,plate_color,route,valid_from,valid_to", self._assignments()),
            "roster": ("plate,plate_color,role,staff,valid_from,valid_to", self._crew()),
            "qualifications": ("staff,qualification,number,valid_from,valid_to", self._qualifications()),
            "staff": ("staff,role,company,valid_from,valid_to", self._staff()),
        }

    def _day(self, number: int) -> str:
        return (self._first + timedelta(days=number)).isoformat()

    def _sound(self, key: int) -> tuple[str, str]:
        """A validity that is in order, somewhat different for each key."""
        return self._day(-400 + key * 7 % 300), self._day(self._days + _FRESH_DAYS + key * 11 % 300)

    def _drivers(self, v: int) -> list[int]:
        return [v + 1, len(self._roster) + v + 1] if self._pair[v] else [v + 1]

    def _status(self) -> Iterator[str]:
        for v, wrong in ((v, self._wrong[v]) for v in self._who):
            if wrong == "status":
                yield f"{self._names[v]},{('suspended', 'deregistered', 'unlicensed')[v % 3]},{self._day(-9)},"

    def _documents(self) -> Iterator[str]:
        for v, wrong in ((v, self._wrong[v]) for v in self._who):
            for k, sort in enumerate(_DOCUMENTS):
                begin, end = self._sound(5 * v + k)
                number = f"{v + 1:07d}{k}"
                if wrong == "document" and k == v % len(_DOCUMENTS):
                    end = self._day(-1 - v % 40)
                if wrong == "renewed" and k == v % len(_DOCUMENTS):
                    noon = f"{self._day(0)}T12:00:00"
                    yield f"{self._names[v]},{sort},{number}-1,{begin},{noon}"
                    begin = noon
                yield f"{self._names[v]},{sort},{number},{begin},{end}"

    def _permits(self) -> Iterator[str]:
        late = [shift.start_h[1] + shift.legs * shift.leg_s / HOUR > 20.0 for shift in SHIFTS]
        for v, letter in ((v, self._letters[v]) for v in self._who):
            if self._wrong[v] == "closure_pass":
                yield f"{self._names[v]},closure_pass,{v + 1},closure-1,{self._day(-1)},{self._day(self._days)}"
            if letter != "H":
                continue
            begin, end = self._sound(v)
            planted = SHIFTS[self._roster.shift[v]].kind == "V21" and self._wrong[v] == ""
            if late[self._roster.shift[v]] and not planted:
                yield f"{self._names[v]},restricted_hours,{v + 1},,{begin},{end}"

    def _waybills(self) -> Iterator[str]:
        for v, letter in ((v, self._letters[v]) for v in self._who):
            if self._wrong[v] == "till_evening":
                for day in range(-1, self._days + 1):
                    number = f"{v + 1:08d}-{day + 2}"
                    yield f"{self._names[v]},{number},汽油,{self._day(day)},{self._day(day)}T20:45:00"
            elif letter == "H":
                end = self._day(-1 if self._wrong[v] == "waybill" else self._days)
                yield f"{self._names[v]},{v + 1:08d},汽油,{self._day(-3)},{end}"

    def _charters(self) -> Iterator[str]:
        for v, letter in ((v, self._letters[v]) for v in self._who):
            if letter == "C":
                end = self._day(-1 if self._wrong[v] == "charter" else self._days)
                yield f"{self._names[v]},{v + 1:08d},,,{self._day(-3)},{end}"

    def _assignments(self) -> Iterator[str]:
        for v, letter in ((v, self._letters[v]) for v in self._who):
            if letter in "LHB":
                track = int(self._roster.track[v])
                number = int(self._tracks.route[track])
                if self._wrong[v] == "route":
                    number = int(elsewhere()[0][track])
                yield f"{self._names[v]},R{number:03d},{self._sound(v)[0]},"

    def _crew(self) -> Iterator[str]:
        n = len(self._roster)
        for v, letter in ((v, self._letters[v]) for v in self._who):
            other = [(v + 1) % n + 1] if self._wrong[v] == "driver" else self._drivers(v)
            for number in other:
                yield f"{self._names[v]},driver,D{number:07d},{self._sound(v)[0]},"
            if letter == "H" and self._wrong[v] != "escort":
                yield f"{self._names[v]},escort,E{v + 1:07d},{self._sound(v)[0]},"

    def _qualifications(self) -> Iterator[str]:
        for v, letter in ((v, self._letters[v]) for v in self._who):
            for number in self._drivers(v):
                begin, end = self._sound(number)
                if self._wrong[v] == "qualification":
                    end = self._day(-1 - v % 40)
                yield f"D{number:07d},{letter},{number},{begin},{end}"
            if letter == "H":
                begin, end = self._sound(v)
                yield f"E{v + 1:07d},escort,{v + 1},{begin},{end}"

    def _staff(self) -> Iterator[str]:
        for v, letter in ((v, self._letters[v]) for v in self._who):
            for number in self._drivers(v):
                yield f"D{number:07d},driver,{self.company(v)},2023-01-01,"
            if letter == "H":
                yield f"E{v + 1:07d},escort,{self.company(v)},2023-01-01,"

    def company(self, v: int) -> str:
        """Company of a vehicle."""
        roster = self._roster
        return company_code(self._letters[v], int(roster.town[v]), int(roster.company[v]))

    def area(self, v: int) -> str:
        """Counties in which a bus or taxi may work; empty = not known."""
        track = int(self._roster.track[v])
        own = self._letters[v] in "BT" and (self._tracks.closed[track] or self._wrong[v] == "area")
        return TOWNS[int(self._tracks.town[track])].county if own else ""


def company_code(letter: str, town: int, number: int) -> str:
    """A company as it is registered."""
    return f"{TOWNS[town].county}-{letter}{number:03d}"


def routes_json() -> Iterator[str]:
    """Routes as GeoJSON features, one a line."""
    for k, route in enumerate(routes()):
        points = np.round(to_deg(route.line), 6).tolist()
        yield (
            f'{{"type":"Feature","properties":{{"id":"R{k:03d}","name":"线路{k:03d}"}},'
            f'"geometry":{{"type":"LineString","coordinates":{points}}}}}'
        )
