"""The house: what the wheel holds, and who may import whom."""

import ast
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROOMS = {"ingest", "detectors", "ledger", "dispatch", "api"}


def test_the_wheel_holds_exactly_the_five_rooms_and_what_they_need(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=HOUSE, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == ROOMS
    assert "ingest/profiles/tipdm.toml" in names
    assert not [name for name in names if name.endswith((".nbi", ".nbc", ".pyc"))]


def test_no_dependency_ships_a_package_of_our_name() -> None:
    clashes = {
        (distribution.name, file.parts[0])
        for distribution in distributions()
        if distribution.name != "warnloop"
        for file in distribution.files or ()
        if file.parts[0] in ROOMS
    }
    assert not clashes


def test_the_law_of_imports() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=HOUSE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_files_are_small(room: str) -> None:
    long = {
        str(path): count for path in (HOUSE / room).rglob("*.py") if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_the_second_reading_knows_nothing_of_the_product() -> None:
    for path in (HOUSE / "tests" / "reading").glob("*.py"):
        assert not imported(path) & (ROOMS | {"numpy", "numba", "shapely", "msgspec"}), path
