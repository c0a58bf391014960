"""Profiles: how another feed names its fields, and in which units and forms it gives them."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ingest.moment import parse_ms

FIELDS = (
    "plate", "plate_color", "time", "lon", "lat", "speed_kmh", "heading_deg", "altitude_m",
    "recorder_speed_kmh", "mileage_km", "alarm", "status", "received", "backfill", "driver",
    "video_alarm", "abnormal", "adas", "dsm", "bsd", "tpms", "harsh", "passengers",
)  # fmt: skip
"""The fields of the rulebook's §8, and what terminals tell of beside them, to which every profile maps."""

REQUIRED = ("plate", "time", "lon", "lat", "speed_kmh")
NUMBERS = ("lon", "lat", "speed_kmh", "heading_deg", "altitude_m", "recorder_speed_kmh", "mileage_km")
SHIPPED = files("ingest") / "profiles"


class ProfileError(ValueError):
    """A profile cannot be read: says which, which setting, and what was expected."""


def _compact(century: str) -> Callable[[str], int | None]:
    """Reader of Beijing clocks written as digits only, such as 20260302080000 or 260302080000."""

    def read(text: str) -> int | None:
        digits = century + text
        if len(digits) != len("20260302080000") or not (digits.isascii() and digits.isdigit()):
            return None
        return parse_ms(f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:]}")

    return read


TIME_FORMS: dict[str, Callable[[str], int | None]] = {
    "iso": parse_ms,
    "yyyyMMddHHmmss": _compact(""),
    "yyMMddHHmmss": _compact("20"),
}
"""How a text is read as a time; ``iso`` reads epoch milliseconds as well."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a feed keeps each field of the rulebook, and how to turn it into the rulebook's units.

    Attributes
    ----------
    fields : dict of str
        Rulebook field to the feed's name; a dotted name (``position.lat``) is a path into objects.
    multiply, divide : dict of float
        Rulebook field to what its numbers are multiplied or divided by.
    time_form : str
        A key of ``TIME_FORMS``.
    epoch_unit_ms : int
        What one unit of a time given as a number is: 1, or 1000 for epoch seconds [ms].
    encoding : str
        Encoding of the text.
    """

    name: str
    fields: dict[str, str]
    multiply: dict[str, float]
    divide: dict[str, float]
    time_form: str = "iso"
    epoch_unit_ms: int = 1
    encoding: str = "utf-8"

    @property
    def is_utf8(self) -> bool:
        """Whether the text needs no recoding."""
        return self.encoding.lower().replace("-", "") == "utf8"

    def text_ms(self) -> Callable[[str], int | None]:
        """Reader of this feed's times."""
        return TIME_FORMS[self.time_form]


DEFAULT = Profile("warnloop", {name: name for name in FIELDS}, {}, {})
"""The rulebook's own format."""


SETTINGS = ("fields", "multiply", "divide", "time_form", "epoch_unit_ms", "encoding")
_AWKWARD = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
"""Characters that no name of a field has."""
_DEEPEST = 8
"""Longest path into objects."""


def _table(name: str, data: dict[str, Any], key: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise ProfileError(f"profile {name}: [{key}] must be a table")
    for field in table:
        if field not in allowed:
            raise ProfileError(f"profile {name}: [{key}] has no field {field!r}; there are {', '.join(allowed)}")
    return table


def _paths(name: str, data: dict[str, Any]) -> dict[str, str]:
    fields = _table(name, data, "fields", FIELDS)
    missing = [field for field in REQUIRED if field not in fields]
    if missing:
        raise ProfileError(f"profile {name}: [fields] lacks {', '.join(missing)}")
    for field, path in fields.items():
        parts = path.split(".") if isinstance(path, str) else []
        if not all(parts) or not 0 < len(parts) <= _DEEPEST or _AWKWARD.search(path):
            raise ProfileError(
                f"profile {name}: [fields] {field} must be a name, or names with dots between, found {path!r}"
            )
        others = [fields[other] for other in fields if other != field]
        if any(other == path or str(other).startswith(f"{path}.") for other in others):
            raise ProfileError(f"profile {name}: [fields] {field} = {path!r} must be a path of its own")
    return fields


def _factors(name: str, data: dict[str, Any], key: str) -> dict[str, float]:
    table = _table(name, data, key, NUMBERS)
    for field, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1e-12 <= value <= 1e12:
            raise ProfileError(f"profile {name}: [{key}] {field} must be a number from 1e-12 to 1e12")
    return {field: float(value) for field, value in table.items()}


def _parse(name: str, text: str) -> Profile:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"profile {name}: not TOML: {error}") from error
    for key in data:
        if key not in SETTINGS:
            raise ProfileError(f"profile {name}: there is no setting {key!r}; there are {', '.join(SETTINGS)}")
    form, unit = data.get("time_form", "iso"), data.get("epoch_unit_ms", 1)
    encoding = data.get("encoding", "utf-8")
    if not isinstance(form, str) or form not in TIME_FORMS:
        raise ProfileError(f"profile {name}: time_form must be one of {', '.join(TIME_FORMS)}, found {form!r}")
    if isinstance(unit, bool) or unit not in (1, 1000):
        raise ProfileError(f"profile {name}: epoch_unit_ms must be 1 or 1000, found {unit!r}")
    try:
        "新B".encode(encoding).decode(encoding)
    except (LookupError, TypeError, ValueError) as error:
        raise ProfileError(
            f"profile {name}: encoding {str(encoding)[:40]!r} is not known, or has no Chinese"
        ) from error
    fields, multiply, divide = _paths(name, data), _factors(name, data, "multiply"), _factors(name, data, "divide")
    return Profile(name, fields, multiply, divide, form, unit, encoding)


def shipped() -> list[str]:
    """Names of the profiles that come with the product."""
    return sorted(entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir() if entry.name.endswith(".toml"))


def read_profile(name: str) -> Profile:
    """Read a shipped profile by name, or a TOML file by path.

    Raises
    ------
    ProfileError
        No such profile, or one that cannot be read.
    """
    if name == DEFAULT.name:
        return DEFAULT
    if name in shipped():
        return _parse(name, (SHIPPED / f"{name}.toml").read_text(encoding="utf-8"))
    try:
        text = Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProfileError(f"profile {name}: not UTF-8: {error.reason}") from error
    except (OSError, ValueError) as error:
        known = ", ".join([DEFAULT.name, *shipped()])
        raise ProfileError(f"no profile {name!r}: shipped are {known}; else give a TOML file") from error
    return _parse(name, text)
