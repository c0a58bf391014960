"""The one door to numba: a typed decorator for the few stateful loops.

A kernel is a plain Python loop over columns that numba compiles. Its source stays runnable: the
undecorated function is ``kernel.py_func``, and tests run it beside the compiled one.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop over columns on its first call, and keep the machine code on disk.

    Without ``fastmath``: two runs, and two machines, must agree to the last bit.
    """
    try:
        return cast("Callable[P, R]", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # nowhere to keep it: a read-only installation without a home
        return cast("Callable[P, R]", njit(nogil=True, error_model="numpy")(function))
