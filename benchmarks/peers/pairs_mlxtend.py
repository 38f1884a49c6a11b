"""mlxtend: product pairs by FP-growth, on the platform's lines, written with to_sql."""

import os

import pandas as pd
import sqlalchemy as sa
from mlxtend.frequent_patterns import fpgrowth
from mlxtend.preprocessing import TransactionEncoder

from benchmarks.peers.common import done, settings

ITEMS = """
select distinct invoice_no, code
from lgs.clean_invoices inner join lgs.stock_codes using (stock_code)
where is_product and is_sold
"""


def pairs(items: pd.DataFrame, support: int) -> pd.DataFrame:
    """The pairs in at least so many baskets."""
    baskets = items.groupby("invoice_no")["code"].agg(list)
    encoder = TransactionEncoder().fit(baskets)
    holds = encoder.transform(baskets, sparse=True)
    matrix = pd.DataFrame.sparse.from_spmatrix(holds, columns=encoder.columns_)  # type: ignore[attr-defined]  # the stubs lack it
    # A little less: a share of exactly so many baskets must not be lost to its last digit.
    found = fpgrowth(matrix, min_support=(support - 0.5) / len(baskets), use_colnames=True, max_len=2)
    found["baskets"] = (found["support"] * len(baskets)).round().astype(int)
    sizes = found["itemsets"].map(len)
    alone, together = found[sizes == 1], found[sizes == 2]
    single = dict(zip((next(iter(items)) for items in alone["itemsets"]), alone["baskets"], strict=True))
    made = pd.DataFrame([sorted(items) for items in together["itemsets"]], columns=["code", "other_code"])
    made["baskets"] = together["baskets"].to_numpy()
    made["baskets_of_code"] = made["code"].map(single)
    made["baskets_of_other"] = made["other_code"].map(single)
    made["all_baskets"] = len(baskets)
    made["support"] = made["baskets"] / len(baskets)
    made["confidence"] = made["baskets"] / made["baskets_of_code"]
    made["confidence_back"] = made["baskets"] / made["baskets_of_other"]
    made["lift"] = made["confidence"] / (made["baskets_of_other"] / len(baskets))
    made["kulczynski"] = (made["confidence"] + made["confidence_back"]) / 2
    return made.round(6)


if __name__ == "__main__":
    engine = sa.create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"))
    done("start")
    items = pd.read_sql(ITEMS, engine)
    made = pairs(items, int(settings()["pair_support"]))
    made.to_sql("product_pairs", engine, schema="public", if_exists="replace", index=False)
    done("product_pairs")
