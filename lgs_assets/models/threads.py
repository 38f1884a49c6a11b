"""One thread for sums whose last digits depend on how many threads share them: the same bytes on every machine."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Lets no library of numerics share the work of a function among threads."""

    @wraps(function)
    def limited(*arguments: P.args, **named: P.kwargs) -> R:
        import scipy.linalg  # noqa: F401 - its threads cannot be limited before it is loaded
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            return function(*arguments, **named)

    return limited
