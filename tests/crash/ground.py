"""Ground: databases in which a scenario lies ready, and what an undisturbed run makes of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from tests.crash.nursery import Nursery, Plan
from tests.crash.picture import Picture, differences, is_drained, picture
from tests.crash.scenario import Scenario, scenario
from tests.servers import Servers


class Ground:
    """Scenarios by seed, on one kind of server.

    Parameters
    ----------
    stack : ExitStack
        Drops at its end the databases that the others are made from.
    """

    def __init__(self, servers: Servers, kind: str, nursery: Nursery, stack: ExitStack) -> None:
        self.servers, self.kind, self.nursery, self._stack = servers, kind, nursery, stack
        self._scenarios: dict[tuple[int, int], Scenario] = {}
        self._templates: dict[tuple[int, int], str] = {}
        self._undisturbed: dict[tuple[int, int], Picture] = {}

    def scenario(self, seed: int, versions: int = 2) -> Scenario:
        key = seed, versions
        if key not in self._scenarios:
            self._scenarios[key] = scenario(seed, versions=versions)
        return self._scenarios[key]

    @contextmanager
    def laid(self, seed: int, versions: int = 2) -> Iterator[str]:
        """URL of a fresh database in which the scenario waits for its first worker."""
        key = seed, versions
        if key not in self._templates:
            url = self._stack.enter_context(self.servers.database(self.kind, template=self.servers.migrated(self.kind)))
            self.scenario(seed, versions).lay(url)
            self._templates[key] = urlsplit(url).path.removeprefix("/")
        with self.servers.database(self.kind, template=self._templates[key]) as url, self.nursery.cared():
            yield url

    def undisturbed(self, seed: int, versions: int = 2) -> Picture:
        """What one worker leaves that nobody disturbs."""
        key = seed, versions
        if key not in self._undisturbed:
            with self.laid(seed, versions) as url:
                told = self.nursery.live(Plan(url))
                assert told.metrics["warnloop_fenced"] == 0
                assert told.metrics["warnloop_troubles"] == 0
                assert is_drained(url)
                self._undisturbed[key] = picture(url)
        return self._undisturbed[key]

    @contextmanager
    def empty(self) -> Iterator[str]:
        """URL of a fresh, migrated database with nothing in it."""
        with self.servers.database(self.kind, template=self.servers.migrated(self.kind)) as url, self.nursery.cared():
            yield url

    def drain(self, plan: Plan, lives: int = 3) -> None:
        """Let workers that nobody disturbs any more do the rest."""
        for _ in range(lives):
            self.nursery.live(plan)
            if is_drained(plan.log):
                return
        raise AssertionError("not drained")

    def check(self, url: str, seed: int, versions: int = 2) -> None:
        """Hold what there is against the undisturbed run."""
        assert is_drained(url)
        assert not (found := differences(picture(url), self.undisturbed(seed, versions))), found
