"""Catalogue: every kind there is, found by walking the package; there is no list to edit."""

import pkgutil
from importlib import import_module

from detectors import kinds
from detectors.kind import Kind


def _walk() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for module in pkgutil.walk_packages(kinds.__path__, f"{kinds.__name__}."):
        for entry in vars(import_module(module.name)).values():
            if not isinstance(entry, Kind):
                continue
            if entry.code in found:
                raise ValueError(f"{entry.code} stands twice in the catalogue: {module.name}")
            found[entry.code] = entry
    return dict(sorted(found.items()))


CATALOGUE = _walk()
"""Kinds by code, in order."""
