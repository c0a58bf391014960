"""Real traces that may lie beside the project; they are read there and never copied into it."""

import csv
import gzip
import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "gps"
TRACES = sorted(FOLDER.glob("tipdm2019c_*.csv.gz"))


def registry_of_traces(folder: Path) -> Path:
    """Write a registry in which the vehicles of the traces are scheduled coaches."""
    plates = [path.name.removeprefix("tipdm2019c_").removesuffix(".csv.gz") for path in TRACES]
    (folder / "vehicles.csv").write_text("\n".join(["plate,class", *(f"{plate},L" for plate in plates)]) + "\n")
    return folder


def as_rulebook(trace: Path, out: Path) -> Path:
    """Rewrite a trace in the rulebook's own format."""
    with gzip.open(trace, "rt", encoding="utf-8") as source, out.open("w", encoding="utf-8") as target:
        for row in csv.DictReader(source):
            fix = {"plate": row["vehicleplatenumber"], "time": row["location_time"]}
            numbers = {"lon": "lng", "lat": "lat", "speed_kmh": "gps_speed", "heading_deg": "direction_angle"}
            target.write(json.dumps(fix | {name: float(row[column]) for name, column in numbers.items()}) + "\n")
    return out
