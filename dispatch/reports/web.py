"""HTML: one file that needs no other, for the screen and for the printer."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from dispatch.reports.paper import Cell, Paper


def html(paper: Paper) -> bytes:
    """Print as HTML."""
    return _template().render(paper=paper).encode("utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("dispatch.reports", "forms"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template("daily.html")


def _cell(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell
