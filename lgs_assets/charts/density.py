"""How densely values lie along a line: a Gaussian kernel estimate, in numpy alone."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# A Gaussian holds all but 0.006 % of its mass within four bandwidths.
_REACH: Final = 4

# To a bandwidth; with so many, counting in cells moves the density by a thousandth at most.
_CELLS: Final = 16


def bandwidth(values: Values) -> float:
    """Silverman's rule of thumb; 0 where the values do not differ.

    B. W. Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 3.4.2, equation (3.31):
    h = 0.9 min(standard deviation, interquartile range / 1.34) n^(-1/5).
    """
    if np.ptp(values) == 0:
        return 0.0
    deviation = float(np.std(values, ddof=1))
    lower, upper = np.quantile(values, (0.25, 0.75))
    # The range is 0 where half of the values are one value, though the others differ.
    spread = min(deviation, (upper - lower) / 1.34) or deviation
    return float(0.9 * spread * len(values) ** -0.2)


def density(values: Values, *, low: float, high: float) -> tuple[Values, Values]:
    """Points between `low` and `high` and the density of the values there, with an area of 1.

    Values are counted in cells much narrower than the bandwidth, and the counts are smoothed: the time does not depend
    on their number (Silverman, section 3.5). No value lies outside, so what the kernel spreads there is folded back
    (section 2.10). The values must differ.
    """
    width = bandwidth(values)
    cells = int(np.clip(np.ceil(_CELLS * (high - low) / width), 512, 16384))
    counts, edges = np.histogram(values, bins=cells, range=(low, high))
    cell = (high - low) / cells
    reach = int(np.ceil(_REACH * width / cell))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * cell / width) ** 2)
    smooth = np.convolve(np.pad(counts, reach, mode="symmetric"), kernel / kernel.sum(), mode="valid")
    return (edges[:-1] + edges[1:]) / 2, smooth / (len(values) * cell)
