"""One thread, also for libraries that nobody had loaded before."""

import subprocess
import sys

SCRIPT = """
from lgs_assets.models.threads import one_thread

@one_thread
def threads():
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_info
    return [pool["num_threads"] for pool in threadpool_info()]

print(*threads())
"""


def test_a_library_that_a_function_imports_has_one_thread() -> None:
    """Its threads would wait for each other: the first fit of a process took three times as long."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout.split()
    assert said and set(said) == {"1"}
