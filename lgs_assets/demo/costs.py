"""Unit costs for the demo shop: invented, about half of each gift's list price, and dearer in the second year."""

from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from lgs_assets.demo.catalogue import draw_catalogue
from lgs_assets.warehouse.costs import Cost

_SHARE: Final = (0.35, 0.65)
"""Of the list price, from the best gift to the worst."""
_UNKNOWN: Final = 0.05
"""The share of gifts without a recorded cost."""
_DEARER: Final = 1.04
_FIRST_DAY, _SECOND_YEAR = date(2009, 1, 1), date(2010, 12, 1)


def demo_costs(*, seed: int) -> list[Cost]:
    """The costs of the catalogue of the demo dump with the same seed. The same seed gives the same costs."""
    catalogue = draw_catalogue(np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    gifts = len(catalogue.mills)
    mills = np.rint(catalogue.mills * rng.uniform(*_SHARE, gifts)).astype(int)
    is_known = rng.random(gifts) >= _UNKNOWN
    codes = [wording.partition("\t")[0] for wording in catalogue.wordings[0][:gifts]]
    return [
        Cost(code, since, Decimal(cost) / 1000)
        for code, first, known in zip(codes, mills.tolist(), is_known.tolist(), strict=True)
        if known
        for since, cost in ((_FIRST_DAY, first), (_SECOND_YEAR, round(first * _DEARER)))
    ]
