"""The catalogue, printed for people and for programs, and as the page ``docs/kinds.md``."""

import inspect
from collections.abc import Iterable
from typing import Any

from detectors.kind import Kind

CLASS_NAMES = {
    "L": "客运班线 scheduled coach",
    "C": "旅游包车 charter coach",
    "H": "危险品货运 hazardous goods",
    "B": "公交 bus",
    "T": "出租车 taxi",
    "F": "普货重货 heavy truck",
}
SEVERITIES = {1: "提示 notice", 2: "一般 general", 3: "较重 serious", 4: "严重 severe"}


def as_record(kind: Kind) -> dict[str, Any]:
    """Catalogue entry for programs."""
    return {
        "code": kind.code,
        "zh": kind.zh,
        "en": kind.en,
        "family": kind.family,
        "classes": kind.classes,
        "severity": int(kind.severity),
        "clause": kind.clause,
        "parameters": dict(kind.limits),
        "version": kind.version,
    }


def as_text(kind: Kind) -> str:
    """Catalogue entry for people, in both languages."""
    parameters = "  ".join(f"{name} {value}" for name, value in kind.limits.items())
    return "\n".join(
        [
            f"{kind.code}  {kind.zh}  {kind.en}",
            f"     车型 classes     {' '.join(kind.classes)}",
            f"     等级 severity    {int(kind.severity)} {SEVERITIES[kind.severity]}",
            f"     依据 clause      {kind.clause}",
            f"     参数 parameters  {parameters}",
        ]
    )


def _rule(kind: Kind) -> str:
    """The rule in words."""
    return inspect.cleandoc(kind.doc).partition("\n\nParameters\n")[0]


def in_full(kind: Kind) -> str:
    """Catalogue entry with its rule in words and the examples that show it."""
    rule = _rule(kind)
    raising = [f"     ● {example.title}" for example in kind.examples if example.raised]
    lawful = [f"     ○ {example.title}" for example in kind.examples if not example.raised]
    classes = [f"     {letter}  {CLASS_NAMES[letter]}" for letter in kind.classes]
    return "\n".join([as_text(kind), "", *classes, "", rule, "", "示例 examples (● raised, ○ not)", *raising, *lawful])


_PAGE = """# The kinds

What the server computes, one entry a file of [`detectors/kinds`](../detectors/kinds). This page is
made of those entries by `make kinds`; a test keeps it in step. Times are milliseconds, distances
decimetres, clocks Beijing's; every number is a parameter that a dated row of the registry may
replace for a class, a county, a company or a fence. A *lead* is to be checked, not accused.

| code | 名称 | name | classes | severity | judged | clears |
|---|---|---|---|---|---|---|
"""


def as_page(kinds: Iterable[Kind]) -> str:
    """The catalogue as a page of Markdown."""
    rows, entries = [], []
    for kind in kinds:
        judged = "as fixes come" if kind.scope == "vehicle" else "when a day is closed"
        clears = ", ".join(f"`{table}`" for table in kind.tables)
        title = f"{kind.code} {kind.zh} · {kind.en}"
        anchor = "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")
        rows.append(
            f"| [{kind.code}](#{anchor}) | {kind.zh} | {kind.en} | {kind.classes} | {int(kind.severity)} "
            f"| {judged} | {clears} |\n"
        )
        parameters = ", ".join(
            f"`{name}` {' '.join(f'{c} {v:g}' for c, v in value.items()) if isinstance(value, dict) else value}"
            for name, value in kind.limits.items()
        )
        shown = [f"- {'raises' if example.raised else 'does not'}: {example.title}" for example in kind.examples]
        warning = [f"*Warns*: {kind.warns.zh} {kind.warns.en}", ""] if kind.warns else []
        entries.append(
            "\n".join(
                [
                    f"\n## {title}\n",
                    f"{SEVERITIES[kind.severity]} · {' '.join(kind.classes)} · {kind.clause}\n",
                    f"*Parameters*: {parameters}\n",
                    _rule(kind),
                    "",
                    *warning,
                    *shown,
                    "",
                ]
            )
        )
    return _PAGE + "".join(rows) + "".join(entries)
