"""The door of a data folder: one process at a time changes what lives in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.embedded.errors import EmbeddedError
from ledger.embedded.locks import held
from ledger.embedded.places import Places

DOOR_S = 300.0
"""How long to wait for another process that starts or stops the same server [s]."""


@contextmanager
def opened(places: Places) -> Iterator[None]:
    """Hold the door for the length of a block; the folder is made if need be.

    Raises
    ------
    EmbeddedError
        If the folder cannot be used, now or within the block.
    """
    root = places.root
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise EmbeddedError(f"{root} is a file, or lies below one: name a folder for the data") from error
    except OSError as error:
        raise _unusable(places, error) from error
    try:
        with held(places.door, wait_s=DOOR_S):
            yield
    except OSError as error:
        raise _unusable(places, error) from error


def _unusable(places: Places, error: OSError) -> EmbeddedError:
    return EmbeddedError(
        f"cannot use the data folder {places.root} (数据目录不可用): {error.filename or 'it'}: {error.strerror}. "
        f"Name one that user {os.geteuid()} may write to, on a disk with room"
    )
