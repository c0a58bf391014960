"""Why: what a catalogue entry says of its episodes, with places for their numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from string import Formatter
from typing import Any, NamedTuple


class Words(NamedTuple):
    """The same sentence in Chinese and in English."""

    zh: str
    en: str

    @property
    def places(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names of the places for numbers, in Chinese and in English."""
        zh, en = (frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None) for text in self)
        return zh, en


Facts = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, float | str]]
"""Works further numbers, or texts, out of measures and parameters."""


def no_facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float | str]:  # noqa: ARG001
    """Nothing beyond the measures themselves."""
    return {}


@dataclass(frozen=True, slots=True)
class Why:
    """Sentences about an episode of a kind; a place is ``{name}`` of a measure, a parameter or a fact.

    How a number is shown follows from the unit that its name ends with: ``_kmh``, ``_ms``, ``_s``, ``_m``, ``_dm``,
    ``ratio``; a name without a unit is a count or a text.

    Attributes
    ----------
    measured : Words
        What was measured.
    limit : Words
        Which limit that broke, and where it came from.
    clears : Words
        What would have cleared it.
    sure : Words
        Why an ordinary episode may be relied on.
    doubt : Words, optional
        What makes an episode a lead; None where none ever is one.
    guessed : Words, optional
        In the place of `limit` where no fence set it; None where the limit is no fence's.
    along : Words, optional
        In the place of `limit` where a road line set it; None where none ever does.
    facts : callable
        Further numbers.
    """

    measured: Words
    limit: Words
    clears: Words
    sure: Words
    doubt: Words | None = None
    guessed: Words | None = None
    along: Words | None = None
    facts: Facts = no_facts

    def sentences(self) -> Mapping[str, Words]:
        """All there are, by name."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: words for name, words in held.items() if isinstance(words, Words)}

    def check(self, code: str) -> None:
        """See that both languages say the same.

        Raises
        ------
        ValueError
            A sentence is empty, or holds a number in one language only.
        """
        for name, words in self.sentences().items():
            zh, en = words.places
            if not words.zh.strip() or not words.en.strip() or zh != en:
                raise ValueError(f"{code}: {name} says {sorted(zh ^ en)} in one language only, or nothing at all")
