"""Settings: what wins over what, and what is refused before anything starts."""

from pathlib import Path

import pytest
import typer

from api.cli import app
from api.settings import SettingsError, known, take_file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "设置.toml"
    monkeypatch.setenv("WARNLOOP_SETTINGS", str(path))
    for name in known(typer.main.get_command(app)):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    return path


def test_a_file_stands_for_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    file.write_text('database = "postgresql://a"\nport = 8090\n', encoding="utf-8")
    monkeypatch.setenv("WARNLOOP_PORT", "8070")
    take_file(app)
    assert os.environ["WARNLOOP_DATABASE"] == "postgresql://a"
    assert os.environ["WARNLOOP_PORT"] == "8070", "the environment wins"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('databse = "x"', r"'databse' is no setting.*database"),
        ("port = [1]", "has no plain value"),
        ("port = ", "is not TOML"),
        (None, "设置文件不可读"),
    ],
)
def test_a_file_that_cannot_be_used(file: Path, text: str | None, words: str) -> None:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=words):
        take_file(app)


def test_a_misspelt_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARNLOOP_DATABSE", "x")
    with pytest.raises(SettingsError, match=r"no setting WARNLOOP_DATABSE.*WARNLOOP_DATABASE"):
        take_file(app)


def test_the_house_names_its_settings_once() -> None:
    """Only the command line names variables; a command that reads one for itself would be unknown here."""
    house = Path(__file__).parents[2]
    reading = {
        path.name
        for room in ("ingest", "detectors", "ledger", "dispatch", "api")
        for path in (house / room).rglob("*.py")
        if "os.environ.get(" in (text := path.read_text(encoding="utf-8")) or "os.getenv(" in text
    }
    assert reading <= {"settings.py"}
