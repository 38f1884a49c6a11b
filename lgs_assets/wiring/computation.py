"""What Python computes a table from, handed over before it is computed: if it is what it was, so is the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version

import pandas as pd

LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "statsmodels")
"""What the functions compute with."""


@dataclass(frozen=True)
class Computation:
    """A function, not called yet, that makes a table of what it is `given`.

    An asset returns one where a new dump mostly changes what the function does not look at: past months, past
    predictions. It is called only if it is given something else than for the rows that are there, so hand it no more
    than it looks at; or if a library of LIBRARIES has changed, which may compute something else.
    """

    function: Callable[..., pd.DataFrame]
    given: tuple[object, ...]
    """DataFrames, and values that `repr` tells apart."""
    described: Callable[[pd.DataFrame], dict[str, float]] | None = None
    """From the rows of the table to Dagster metadata."""
    built_from: Mapping[str, str] = field(default_factory=dict)
    """The version of each table that went into it."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is given (names, types and rows in their order) and of the libraries that compute."""
        hashed = sha256(repr([(library, version(library)) for library in LIBRARIES]).encode())
        for value in self.given:
            if isinstance(value, pd.DataFrame):
                hashed.update(repr([(name, str(dtype), len(value)) for name, dtype in value.dtypes.items()]).encode())
                hashed.update(pd.util.hash_pandas_object(value, index=False).to_numpy().tobytes())
            else:
                hashed.update(repr(value).encode())
        return hashed.hexdigest()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows."""
        return self.function(*self.given)
