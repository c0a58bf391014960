"""Fences: areas of the registry, read from GeoJSON."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import shapely

from ingest.moment import from_ms, until_ms
from ingest.table import MOST_ROWS, RegistryError, check_size

ALL_CLASSES = "LCHBTF"
LIMITED = ("road", "speed")
"""Kinds of fence that are nothing without a speed limit."""


@dataclass(frozen=True, slots=True)
class Fence:
    """An area: planar in longitude and latitude, its boundary inside, its holes outside.

    Attributes
    ----------
    kind : str
        ``road``, ``speed``, ``hazmat_no_go``, ``county``, ``station``, ``parking``, ...
    limit_kmh : float
        NaN where the fence has none [km/h].
    classes : str
        Letters of the vehicle classes it is for.
    from_ms, to_ms : int
        When it holds: from the first, until before the second [ms].
    shape : shapely Polygon or MultiPolygon
        [deg] WGS-84. Of a road or a route, a LineString or MultiLineString: see `Feature.way`.
    tags : frozenset of str
        Further words about it, such as ``no_night``.
    """

    id: str
    name: str
    kind: str
    limit_kmh: float
    classes: str
    from_ms: int
    to_ms: int
    shape: Any
    tags: frozenset[str] = frozenset()


class _Collection(msgspec.Struct):
    features: list[msgspec.Raw]
    type: str = "FeatureCollection"


class Feature:
    """One GeoJSON feature on its way to become a fence; its readers raise `RegistryError`."""

    def __init__(self, path: Path, line: int, raw: bytes) -> None:
        self.path, self.line = path, line
        self.raw = raw
        try:
            feature = json.loads(raw.decode())
        except (ValueError, RecursionError) as error:
            raise RegistryError(path, line, "features", "a GeoJSON Feature in UTF-8", str(error)) from error
        if not isinstance(feature, dict):
            raise RegistryError(path, line, "features", "a GeoJSON Feature", feature)
        properties = feature.get("properties")
        self.properties = properties if isinstance(properties, dict) else {}
        self.geometry = feature.get("geometry")
        if feature.get("id") is not None:
            self.properties.setdefault("id", feature["id"])

    def fail(self, field: str, expected: str, found: object) -> NoReturn:
        """Refuse the feature for the sake of this field."""
        raise RegistryError(self.path, self.line, field, expected, found)

    def text(self, field: str) -> str:
        """Stripped text of a property; empty where missing."""
        value = self.properties.get(field)
        return "" if value is None else str(value).strip()

    def limit(self, kind: str) -> float:
        """Speed limit [km/h]; NaN where the kind of fence needs none."""
        value = self.properties.get("limit_kmh")
        if value is None and kind not in LIMITED:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 200:
            self.fail("limit_kmh", "a speed above 0 and up to 200 km/h", value)
        return float(value)

    def classes(self) -> str:
        """Letters of the classes it is for."""
        value = self.text("classes")
        if set(value) - set(ALL_CLASSES):
            self.fail("classes", f"letters of {ALL_CLASSES}, or nothing for all", value)
        return value or ALL_CLASSES

    def shape(self, kinds: tuple[str, ...]) -> Any:
        """The checked geometry, of one of these GeoJSON types."""
        kind = self.geometry.get("type") if isinstance(self.geometry, dict) else None
        if kind not in kinds:
            self.fail("geometry", f"a {' or a '.join(kinds)}", kind)
        try:
            shape = shapely.from_geojson(json.dumps(self.geometry))
        except shapely.errors.GEOSException as error:
            self.fail(
                "coordinates",
                "rings of [lon, lat] positions" if "Polygon" in kinds else "a line of [lon, lat] positions",
                str(error),
            )
        if shape.is_empty:
            self.fail("coordinates", "a shape that is not empty", self.geometry)
        west, south, east, north = shape.bounds
        if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
            self.fail("coordinates", "longitudes and latitudes in degrees", [west, south, east, north])
        if not shape.is_valid:
            self.fail("coordinates", "rings that do not cross themselves", shapely.is_valid_reason(shape))
        return shapely.force_2d(shape)

    def tags(self) -> frozenset[str]:
        """Words of the property ``tags``, a list or a text with spaces between."""
        value = self.properties.get("tags")
        words = value if isinstance(value, list) else self.text("tags").split()
        if not all(isinstance(word, str) for word in words):
            self.fail("tags", "texts", value)
        return frozenset(words)

    def _made(self, kind: str, shapes: tuple[str, ...]) -> Fence:
        span = from_ms(self.text("valid_from")), until_ms(self.text("valid_to"))
        for field, moment in zip(("valid_from", "valid_to"), span, strict=True):
            if moment is None:
                self.fail(field, "a date, an ISO 8601 time or epoch milliseconds", self.text(field))
        begin, end = span
        if begin is None or end is None or begin >= end:
            self.fail("valid_to", "a time after valid_from", self.text("valid_to"))
        name, limit, classes = self.text("name"), self.limit(kind), self.classes()
        return Fence(
            self.text("id") or name, name, kind, limit, classes, begin, end, self.shape(shapes), self.tags()
        )  # fmt: skip

    def fence(self) -> Fence:
        """Make a fence of it."""
        kind = self.text("kind")
        if not kind:
            self.fail("kind", "a kind of fence, such as road, speed or hazmat_no_go", self.properties)
        return self._made(kind, ("Polygon", "MultiPolygon"))

    def way(self, collection: str) -> Fence:
        """Make a line of it, of the collection ``roads`` (which need a limit) or ``routes``."""
        return self._made(collection.removesuffix("s"), ("LineString", "MultiLineString"))


def read_features(path: Path, refused: list[RegistryError]) -> list[Feature]:
    """Read the features of a FeatureCollection; what is wrong with those that are none is put into `refused`.

    Raises
    ------
    RegistryError
        The file.
    """
    check_size(path)
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        raws = msgspec.json.decode(data, type=_Collection).features
    except OSError as error:
        raise RegistryError(path, 0, "file", "a readable GeoJSON file", error.strerror) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RegistryError(path, 0, "file", "a GeoJSON FeatureCollection", str(error)) from error
    if len(raws) > MOST_ROWS:
        raise RegistryError(path, 0, "file", f"at most {MOST_ROWS:,} features", f"{len(raws):,}")
    features, at, line = list[Feature](), 0, 1
    for count, raw in enumerate(map(bytes, raws), 1):
        begin = data.index(raw, at)
        same = count > 1 and b"\n" not in data[at:begin]
        line += data.count(b"\n", at, begin)
        try:
            features.append(Feature(Path(f"{path}, feature {count}") if same else path, line, raw))
        except RegistryError as error:
            refused.append(error)
        at, line = begin + len(raw), line + data.count(b"\n", begin, begin + len(raw))
    return features
