"""NDJSON: one JSON object a line, decoded without an object per value where the line is clean."""

import json
import re
from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from ingest import values
from ingest.columns import MOST_COLOR, NAMES, UNREADABLE, Columns, Decode, unreadable
from ingest.items import FIELDS
from ingest.lines import Lines
from ingest.profile import NUMBERS, Profile
from ingest.rejects import ENCODING, MALFORMED, Rejects

_U32 = Annotated[int, msgspec.Meta(ge=0, le=values.U32)]
_COLOR = Annotated[int, msgspec.Meta(ge=0, le=MOST_COLOR)]

_ESCAPED = re.compile("[\udc80-\udcff]")
"""Bytes that are not UTF-8, in a text decoded nonetheless."""

CLEAN: dict[str, tuple[Any, Any]] = {
    "plate": (str, ""),
    "plate_color": (_COLOR | None, None),
    "time": (int | float | str | None, None),
    "received": (int | float | str | None, None),
    "alarm": (_U32 | None, None),
    "status": (_U32 | None, None),
    "backfill": (bool | None, None),
    "driver": (str | None, None),
    **dict.fromkeys(NUMBERS, (float | None, None)),
    **dict.fromkeys(FIELDS, (Any, None)),
}
"""Type of each field where a line is clean, and what stands where it is absent."""


def _tidy(field: str, value: object) -> object:
    """Make a stray value clean."""
    if field in NUMBERS:
        return values.number(value, unreadable(field))
    if field in ("alarm", "status"):
        return values.whole(value)
    if field == "backfill":
        return values.flag(value)
    if field == "driver":
        return values.text(value)
    return value if field in ("time", "received", *FIELDS) or type(value) in NAMES else UNREADABLE


class Record:
    """A struct type for a profile's (dotted) names, and where in it each field stands."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.paths: dict[str, str] = {}
        self.type = self._struct({field: name.split(".") for field, name in fields.items()}, "")

    def _struct(self, fields: dict[str, list[str]], prefix: str) -> type[msgspec.Struct]:
        heads = dict.fromkeys(steps[0] for steps in fields.values())
        members: list[tuple[str, Any, Any]] = []
        for at, head in enumerate(heads):
            member = f"f{at}"
            own = {field: steps[1:] for field, steps in fields.items() if steps[0] == head}
            leaf = next((field for field, steps in own.items() if not steps), None)
            if leaf is None:
                inner = self._struct(own, f"{prefix}{member}.")
                members.append((member, inner, msgspec.field(default_factory=inner)))
            else:
                self.paths[leaf] = prefix + member
                members.append((member, *CLEAN[leaf]))
        rename = {f"f{at}": head for at, head in enumerate(heads)}
        return msgspec.defstruct("Record", members, rename=rename, gc=False)

    def lenient(self, fields: dict[str, str], text: bytes) -> Any:
        """Record of a line with stray values: text for a number, NaN, a value in an object's place.

        Raises
        ------
        ValueError, RecursionError
            The line is no JSON object.
        """
        words = text.decode(errors="surrogateescape")
        flawed = _ESCAPED.search(words) is not None
        found = json.loads(words, parse_int=_integer)
        if not isinstance(found, dict):
            raise ValueError(f"one JSON object a line is expected, found {type(found).__name__}")
        fix = self.type()
        for field, name in fields.items():
            value: Any = found
            for step in name.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if flawed and isinstance(value, str) and _ESCAPED.search(value):
                raise ValueError(f"{field} is not UTF-8")
            target, _, member = self.paths[field].rpartition(".")
            setattr(attrgetter(target)(fix) if target else fix, member, _tidy(field, value))
        return fix


def _integer(digits: str) -> float:
    """Integer of a JSON text; one that no number can hold is an infinity, which is unreadable."""
    return int(digits) if len(digits) < 400 else float(digits)


def _as_utf8(lines: Lines, encoding: str, rejects: Rejects) -> Lines:
    """Lines of another encoding in UTF-8; those that are not in it are left out and counted."""
    texts, numbers = [], []
    for text, line in zip(lines.texts, lines.numbers, strict=True):
        try:
            texts.append(text.decode(encoding).encode())
            numbers.append(line)
        except UnicodeError as error:
            rejects.add(line, ENCODING, f"not in the feed's encoding: {error}")
    return Lines(texts, numbers)


def _second_try(read: Callable[[bytes], Any], text: bytes, line: int, rejects: Rejects) -> Any | None:
    """Record of a line that is not clean; None for a blank one and for one that is no fix."""
    if not text.strip():
        return None
    try:
        return read(text)
    except (ValueError, RecursionError) as error:
        try:
            text.decode()
        except UnicodeDecodeError as flaw:
            rejects.add(line, ENCODING, f"not in the feed's encoding: {flaw.reason} at byte {flaw.start}")
        else:
            rejects.add(line, MALFORMED, f"{error}: {text[:60]!r}")
    return None


def json_decoder(profile: Profile) -> Decode:
    """Decoder of one JSON object a line, with the names of a profile."""
    record = Record(profile.fields)
    decode = msgspec.json.Decoder(record.type).decode
    name = attrgetter(record.paths["plate"], record.paths.get("plate_color", record.paths["plate"]))
    colored = "plate_color" in record.paths
    getters = {field: attrgetter(path) for field, path in record.paths.items() if field not in ("plate", "plate_color")}

    def read(lines: Lines, rejects: Rejects) -> Columns:
        if not profile.is_utf8:
            lines = _as_utf8(lines, profile.encoding, rejects)
        texts = lines.texts
        fixes: list[Any] = []
        refused = 0
        pending = iter(texts)
        while True:
            try:
                fixes.extend(map(decode, pending))
                break
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                at = len(fixes)
                lenient = _second_try(
                    lambda text: record.lenient(profile.fields, text), texts[at], lines.numbers[at], rejects
                )
                fixes.append(lenient)
                refused += lenient is None
        numbers = lines.numbers
        if refused:
            numbers = [line for line, fix in zip(numbers, fixes, strict=True) if fix is not None]
            fixes = [fix for fix in fixes if fix is not None]
        names = list(map(name, fixes))
        if not colored:
            names = [(plate, None) for plate, _ in names]
        return Columns(names, {field: list(map(getter, fixes)) for field, getter in getters.items()}, numbers)

    return read
