"""State: what is remembered per vehicle between batches, one row a vehicle."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray


class States:
    """Tables of state by name, all as long as there are vehicles, growing with them."""

    def __init__(self, layout: Mapping[str, np.dtype[np.void]]) -> None:
        self._tables: dict[str, NDArray[np.void]] = {name: np.zeros(0, dtype) for name, dtype in layout.items()}

    def reserve(self, vehicles: int) -> None:
        """Make room for this many vehicles; new rows are zeros."""
        for name, table in self._tables.items():
            if len(table) < vehicles:
                grown = np.zeros(max(vehicles, len(table) * 3 // 2), table.dtype)
                grown[: len(table)] = table
                self._tables[name] = grown

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __getitem__(self, name: str) -> NDArray[np.void]:
        return self._tables[name]

    @property
    def bytes_per_vehicle(self) -> int:
        """Size of one vehicle's rows in memory [B]."""
        return sum(table.dtype.itemsize for table in self._tables.values())
