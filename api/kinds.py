"""The catalogue, printed for people and for programs."""

import inspect
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


def in_full(kind: Kind) -> str:
    """Catalogue entry with its rule in words and the examples that show it."""
    rule = inspect.cleandoc(kind.doc).partition("\n\nParameters\n")[0]
    raising = [f"     ● {example.title}" for example in kind.examples if example.raised]
    lawful = [f"     ○ {example.title}" for example in kind.examples if not example.raised]
    classes = [f"     {letter}  {CLASS_NAMES[letter]}" for letter in kind.classes]
    return "\n".join([as_text(kind), "", *classes, "", rule, "", "示例 examples (● raised, ○ not)", *raising, *lawful])
