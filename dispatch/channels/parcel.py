"""Parcel: what goes with a delivery: the files of a report, read when they are needed."""

import re
from collections.abc import Callable, Sequence

from ledger.deliveries import File

Files = Callable[[], Sequence[File]]
"""Gives the files that go with a delivery; none where it is no report."""

MEDIA_TYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


def name(file: File) -> str:
    """Name of a file: its report's number, with what no file system takes replaced."""
    return re.sub(r"[^\w〔〕()（）-]", "_", file.number)[:80] + f".{file.format}"
