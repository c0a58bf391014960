"""Kernels as plain Python: the same source, run by the interpreter instead of the compiler."""

import pkgutil
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import detectors
from ingest import gate, geodesy, ticks

MODULES = (
    geodesy,
    gate,
    ticks,
    *(import_module(module.name) for module in pkgutil.iter_modules(detectors.__path__, "detectors.")),
)
"""Those that have kernels, among others: there is no list to edit."""


def _records(value: Any) -> Any:
    """A structured array with attribute access, as compiled code sees it; anything else as it is."""
    structured = isinstance(value, np.ndarray) and value.dtype.names is not None
    return value.view(np.recarray) if structured else value


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*map(_records, arguments))

    return run


def kernels(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Plain functions behind the compiled ones of a module, by name."""
    return {name: value.py_func for name, value in vars(module).items() if hasattr(value, "py_func")}


def interpret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the interpreter run every kernel for the rest of a test."""
    for module in MODULES:
        for name, function in kernels(module).items():
            monkeypatch.setattr(module, name, _plain(function))
