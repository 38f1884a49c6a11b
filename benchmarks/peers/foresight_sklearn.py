"""scikit-learn: who will stay away, by a pipeline on the columns as they are. Arguments: folder, task, model."""

import sys
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.peers.common import done

MODELS = {
    "logistic": lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=1000)),
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
}
NUMBERS = [
    "purchase_days", "recency_days", "tenure_days", "sales", "orders", "typical_gap_days", "squared_gaps",
    "purchase_days_90", "purchase_days_365", "cancelled_orders", "sales_365",
]  # fmt: skip


def churn_risk(folder: Path, model: str) -> pd.DataFrame:
    """The probability of no purchase in 90 days on four past days, each learnt from what was over by then."""
    rows = pd.read_parquet(folder / "risk_features.parquet")
    labels = pd.read_parquet(folder / "outcomes.parquet", columns=["as_of", "customer_id", "bought_90"])
    rows = rows.merge(labels, on=["as_of", "customer_id"])
    quarter = pd.Timedelta(days=90)
    rows = rows[rows["bought_90"].notna() & ((rows["as_of"] - rows["last_day"]).dt.days <= 365)]
    rows = rows[rows["as_of"] >= rows["observed_from"] + quarter]
    quiet = ~rows["bought_90"].astype(bool)
    days: list[pd.DataFrame] = []
    for day in sorted(rows["as_of"].unique())[::-1][::3][:4]:
        asked, over = rows["as_of"] == day, rows["as_of"] + quarter <= day
        fitted = MODELS[model]().fit(rows.loc[over, NUMBERS].astype(float), quiet[over])
        score = fitted.predict_proba(rows.loc[asked, NUMBERS].astype(float))[:, 1]
        days.append(rows.loc[asked, ["as_of", "customer_id"]].assign(score=score))
    return pd.concat(days)


if __name__ == "__main__":
    folder, task, model = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    done("start")
    churn_risk(folder, model).to_parquet(folder / "said.parquet")
    done(task)
