"""Judge mutants: each in its own process, kernels run by the interpreter, the first failing test kills.

Third-party modules are loaded once; a child process loads the product afresh, with one module
changed. A test that takes too long is in an endless loop, and counts as failed.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import pytest

from tests.mutation.operators import Mutant

TEST_S = 10
"""A test that takes longer is in an endless loop; undisturbed none takes a quarter of it [s]."""

SURVIVED, TIMED_OUT, BROKEN = "survived", "timed out", "the module does not load"
OPTIONS = ("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")


class _Changed(SourceFileLoader):
    """Loads a module from a changed tree."""

    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self.mutant = mutant

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader of one module
        """Compile the changed tree."""
        code: CodeType = compile(self.mutant.tree, self.path, "exec")
        return code


class _Finder(MetaPathFinder):
    """Finds the changed module in place of its file."""

    def __init__(self, path: Path, mutant: Mutant) -> None:
        self.path, self.mutant = path, mutant
        self.name = ".".join(path.with_suffix("").parts)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - given by the import system
        target: ModuleType | None = None,  # noqa: ARG002 - given by the import system
    ) -> ModuleSpec | None:
        """Answer for the one module."""
        if fullname != self.name:
            return None
        file = str(self.path.resolve())
        return spec_from_file_location(fullname, file, loader=_Changed(fullname, file, self.mutant))


class _Watch:
    """Notes the first test that fails, and lets the process end where one does not."""

    def __init__(self) -> None:
        self.killer = SURVIVED

    def pytest_runtest_setup(self) -> None:
        """Set the alarm, whose default action ends the process."""
        signal.alarm(TEST_S)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the name of a failing test."""
        if report.failed and self.killer == SURVIVED:
            self.killer = report.nodeid


def _littered(*arguments: Any, **keywords: Any) -> np.ndarray:
    """What ``np.empty`` may give: never zeros by chance, so that nothing may be left unwritten."""
    array = np.zeros(*arguments, **keywords)
    array.view(np.uint8)[...] = 0xA5
    return array


def _child(answer: Connection, path: Path | None, mutant: Mutant | None, tests: Sequence[str], folder: Path) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if path is not None and mutant is not None:
        sys.meta_path.insert(0, _Finder(path, mutant))
    watch = _Watch()
    signal.alarm(TEST_S)
    try:
        from tests.plain import interpret  # loads the product, which is changed by now

        patch = pytest.MonkeyPatch()
        interpret(patch)
        patch.setattr(np, "empty", _littered)
        code = pytest.main([*OPTIONS, f"--basetemp={folder}", *tests], plugins=[watch])
    except BaseException:  # noqa: BLE001 - whatever it is, it did not go unnoticed
        answer.send(BROKEN)
        return
    answer.send(BROKEN if code and watch.killer == SURVIVED else watch.killer)


def judge(path: Path | None, mutant: Mutant | None, tests: Sequence[str], folder: Path) -> str:
    """Run tests with one mutant (None: the product as it is).

    Returns
    -------
    str
        Name of the first test that failed, or `SURVIVED`, `TIMED_OUT`, `BROKEN`.
    """
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(send, path, mutant, tests, folder))
    process.start()
    send.close()
    try:
        return str(receive.recv())
    except EOFError:
        process.join()
        return TIMED_OUT if process.exitcode == -signal.SIGALRM else BROKEN
    finally:
        process.join()
        receive.close()
