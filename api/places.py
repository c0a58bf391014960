"""Places: how many of something one may have at hand at a time, so that nobody takes it from everybody."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

from api.problems import Problem


class Places:
    """Places taken, by whom; for one event loop, and not for threads."""

    def __init__(self) -> None:
        self.taken: Counter[Hashable] = Counter()

    @contextmanager
    def take(self, bounds: Mapping[Hashable, int]) -> Iterator[None]:
        """Have a place for the length of a block.

        Parameters
        ----------
        bounds : mapping
            Everybody on whose account it goes (a session, a tenant) to how many they may have.

        Raises
        ------
        Problem
            One of them has as many.
        """
        for whose, most in bounds.items():
            if self.taken[whose] >= most:
                raise Problem("too-many", f"最多同时{most}个 at most {most} at a time", {"Retry-After": "10"})
        self.taken.update(bounds.keys())
        try:
            yield
        finally:
            self.taken.subtract(bounds.keys())
            self.taken = +self.taken
