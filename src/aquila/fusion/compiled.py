"""Compiles a kernel when numba is there, and leaves it as it is when not."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def has_compiler() -> bool:
    """Whether the optional extra `fast` is installed."""
    return find_spec("numba") is not None


def jit(kernel: Kernel) -> Kernel:
    """The kernel compiled, cached on disk where a folder can be written; the plain function without numba.

    Never fastmath: a replay must give the same bits on every machine, and NaN checks must hold.
    """
    if not has_compiler():
        return kernel
    njit = import_module("numba").njit
    try:
        compiled: Kernel = njit(cache=True, nogil=True)(kernel)
    except RuntimeError:  # no folder to cache in: compile anew at every start
        compiled = njit(nogil=True)(kernel)
    return compiled
