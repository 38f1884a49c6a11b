"""Which products are bought together: the pairs that share many baskets, of the products that each invoice sold.

The baskets are the rows of a sparse matrix and the products its columns, so its product with itself counts all pairs.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from scipy import sparse

# Of the product at a time: in full, it is as large as the square of the number of products.
_PRODUCTS_AT_A_TIME = 64
_SIX_PLACES = Decimal("0.000001")


def bought_together(lines: pd.DataFrame, stock_codes: pd.DataFrame, *, support: int) -> pd.DataFrame:
    """The pairs of products in at least `support` baskets: one row per pair, with the columns of `product_pairs`.

    `lines` has the columns invoice_no, stock_code and is_sold of `clean_invoices`; `stock_codes` has its own. A product
    counts once per basket. Shares are exact quotients, rounded to six places.
    """
    products = stock_codes[stock_codes["is_product"]].set_index("stock_code")["code"]
    codes = np.array(sorted(set(products)), object)
    contents = _contents(lines, products, codes)
    baskets_of, every = contents.sum(axis=0), int(np.count_nonzero(np.diff(contents.indptr)))
    common = np.flatnonzero(baskets_of >= support)
    contents = contents[:, common]  # the whole of it is not needed any more
    one, other, together = _pairs(contents, support)
    of_code, of_other = baskets_of[common[one]], baskets_of[common[other]]
    # Python's own integers, of any size.
    counts = list(zip(together.tolist(), of_code.tolist(), of_other.tolist(), strict=True))
    return pd.DataFrame(
        {
            "code": codes[common[one]],
            "other_code": codes[common[other]],
            "baskets": together,
            "baskets_of_code": of_code,
            "baskets_of_other": of_other,
            "all_baskets": every,
            "support": [_quotient(both, every) for both, _, _ in counts],
            "confidence": [_quotient(both, code) for both, code, _ in counts],
            "confidence_back": [_quotient(both, other) for both, _, other in counts],
            "lift": [_quotient(both * every, code * other) for both, code, other in counts],
            "kulczynski": [_quotient(both * (code + other), 2 * code * other) for both, code, other in counts],
        }
    )


def _contents(lines: pd.DataFrame, products: pd.Series, codes: np.ndarray) -> sparse.csr_array:
    """A row for each invoice and a column for each code: 1 where the invoice sold the product."""
    from scipy import sparse

    place = {code: column for column, code in enumerate(codes)}
    written, stock_codes = _numbered(lines["stock_code"])
    column = np.array([place.get(code, -1) for code in products.reindex(stock_codes)], np.int32)[written]
    counts = lines["is_sold"].to_numpy() & (column >= 0)
    row, invoices = _numbered(lines["invoice_no"])
    cells = (np.ones(np.count_nonzero(counts), np.int32), (row[counts], column[counts]))
    contents = sparse.csr_array(cells, shape=(len(invoices), len(codes)))
    contents.data[:] = 1  # the matrix has added up the lines of a product on one invoice
    return contents


def _numbered(texts: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A number for each text, and the text of each number. `pandas.factorize` would copy the texts."""
    read = pa.array(texts)
    chunked = read if isinstance(read, pa.ChunkedArray) else pa.chunked_array([read])
    encoded = chunked.dictionary_encode().combine_chunks()
    return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()


def _pairs(contents: sparse.csr_array, support: int) -> np.ndarray:
    """Three rows: the columns of each pair, in their order, and the number of baskets with both."""
    products = contents.T.tocsr()
    found = [np.empty((3, 0), np.int64)]
    for first in range(0, contents.shape[1], _PRODUCTS_AT_A_TIME):
        together = (products[first : first + _PRODUCTS_AT_A_TIME] @ contents).toarray()
        one, other = np.nonzero(np.triu(together, first + 1) >= support)
        found.append(np.stack([first + one, other, together[one, other]]))
    return np.concatenate(found, axis=1)


def _quotient(numerator: int, denominator: int) -> Decimal:
    return (Decimal(numerator) / denominator).quantize(_SIX_PLACES, ROUND_HALF_UP)
