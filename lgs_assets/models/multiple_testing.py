"""What several p-values are worth together."""

import numpy as np
import pandas as pd


def holm(p_values: pd.Series) -> pd.Series:
    """The p-values corrected for their number by Holm's step-down method (1979); what is missing stays so.

    Written out: the one of statsmodels collects Python's garbage at each call, half a second in a process of this size.
    """
    ascending = p_values.dropna().sort_values(kind="stable")
    stepped = ascending * np.arange(len(ascending), 0, -1)
    return stepped.cummax().clip(upper=1).reindex(p_values.index)
