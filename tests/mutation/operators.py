"""Mutants: small changes of a module's source that a test should notice."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
}
SWAPPED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
DELETED = (ast.Assign, ast.AugAssign, ast.Expr, ast.Continue, ast.AnnAssign)
SKIPPED = ("align", "dtype", "strict")
"""Keywords that change the layout of memory and no value, or only guard against a caller's mistake."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed module: the line, what stood there, what stands there now, and the whole tree."""

    line: int
    before: str
    after: str
    tree: ast.Module


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[at] = COMPARE[type(operator)]()
            yield changed
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        changed_op = copy.deepcopy(node)
        changed_op.op = ARITHMETIC[type(node.op)]()
        yield changed_op
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
        for at in range(len(node.values)):
            rest = node.values[:at] + node.values[at + 1 :]
            yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _values(node.value))
    elif isinstance(node, ast.Call):
        changed_call = copy.deepcopy(node)
        name = changed_call.func
        if isinstance(name, ast.Name) and name.id in SWAPPED:
            name.id = SWAPPED[name.id]
            yield changed_call
        elif isinstance(name, ast.Attribute) and name.attr in SWAPPED:
            name.attr = SWAPPED[name.attr]
            yield changed_call
    if isinstance(node, ast.If):
        for taken in (True, False):
            changed_if = copy.copy(node)
            changed_if.test = ast.Constant(taken)
            yield changed_if
    if isinstance(node, DELETED):
        yield ast.Pass()


def _values(value: object) -> list[bool | int | float]:
    """Other values of a constant: a flag turned round, a number beside it and 0; text stays."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        others: list[bool | int | float] = [value + 1, value - 1]
        return others if value in (-1, 0, 1) else [*others, type(value)(0)]
    return []


class _Walk(ast.NodeTransformer):
    """Visits a module and makes the change of one number, or counts all there are."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.seen, self.depth = wanted, 0, 0
        self.made: tuple[int, str, str] | None = None

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, DELETED) and (not self.depth or _is_docstring(node)) and not isinstance(node, ast.Assign):
            return node
        for changed in _changes(node):
            if isinstance(changed, ast.Pass) and not self.depth:
                continue
            if self.seen == self.wanted:
                line = getattr(node, "lineno", 0)
                self.made = line, _shown(node), _shown(changed)
                self.seen += 1
                return ast.copy_location(changed, node)
            self.seen += 1
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Leave out decorators, annotations and skipped keywords; only functions can lose statements."""
        if isinstance(node, ast.keyword) and node.arg in SKIPPED:
            return node
        if isinstance(node, ast.FunctionDef):
            self.depth += 1
            node.body = [self.visit(one) for one in node.body]  # type: ignore[misc]
            self.depth -= 1
            return node
        if isinstance(node, ast.ClassDef):
            node.body = [self.visit(one) for one in node.body]  # type: ignore[misc]
            return node
        return super().generic_visit(node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _shown(node: ast.AST) -> str:
    """The first line of a node's source."""
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0]


def mutants(source: str) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its source."""
    for wanted in range(1_000_000):
        tree = ast.parse(source)
        walk = _Walk(wanted)
        walk.visit(tree)
        if walk.made is None:
            return
        yield Mutant(*walk.made, ast.fix_missing_locations(tree))
