"""The peers: each does the whole job in its own way, in a process of its own.

A peer is a module that is run as `python -m benchmarks.peers.NAME DUMP [DUMP]` with DATABASE_URL in its environment,
and leaves the tables in that database. It prints `start` when its imports are done, and the name of each table when
that table is complete: the benchmark takes the time of each line as it arrives.

Those of HISTORY build tables of what happened in the database of the platform, and are given their names instead.
"""

from dataclasses import dataclass

PLATFORM = "platform"
LINEAGE = "lineage"
SPARK = "spark"


@dataclass(frozen=True)
class Peer:
    """One way to do the job, or to continue where another has ended."""

    name: str
    """That of its module, unless it is the platform's with another engine."""
    title: str
    is_ours: bool = False
    """Runs in the environment of the project, and leaves its tables in the schema of the platform."""
    engine: str | None = None
    """LGS_ENGINE of the platform, which then leaves lines, and their totals by invoice, in a lake."""
    follows: str | None = None
    """The peer in whose database it works. Its work is then not the whole job."""
    at_most: int | None = None
    """The most rounds it takes part in, where all of them would take too long."""
    only: tuple[str, ...] | None = None
    """In HISTORY, the tables that it builds; without it, all that a SELECT builds."""

    @property
    def module(self) -> str:
        """What is run."""
        return PLATFORM if self.engine else self.name


PEERS = (
    Peer(PLATFORM, "LGS: its own functions", is_ours=True),
    Peer("duckdb", "LGS: DuckDB on a lake", is_ours=True, engine="duckdb"),
    Peer(SPARK, "LGS: Spark on a lake", is_ours=True, engine="spark"),
    Peer("psql", "psql: \\copy, create table as"),
    Peer("psql_contracts", "psql: the same with keys and rules"),
    Peer("dbt_postgres", "dbt-postgres"),
    Peer("duckdb_postgres", "DuckDB and its Postgres extension"),
    Peer("polars_adbc", "polars with ADBC"),
    Peer("pandas_copy", "pandas with COPY"),
    Peer("notebook", "pandas with to_sql: the notebook way", at_most=1),
    Peer(LINEAGE, "LGS: lineage in one Dagster process", is_ours=True),
    Peer("warm_run", "LGS: lgs run, nothing to do", is_ours=True, follows=LINEAGE),
    Peer("read_frame", "LGS: tables into pandas", is_ours=True, follows=PLATFORM),
    Peer("read_sql", "pandas.read_sql: tables into pandas", is_ours=True, follows=PLATFORM),
)

OURS_OF_HISTORY = Peer("history", "LGS: what happened", is_ours=True, follows=PLATFORM)
HISTORY = (
    OURS_OF_HISTORY,
    Peer("history_psql", "psql: the same SELECTs", follows=PLATFORM),
    Peer(
        "history_pandas",
        "pandas: some of it, as a notebook would",
        follows=PLATFORM,
        only=("product_months", "country_months", "segment_products"),
    ),
    Peer("pairs_psql", "psql: pairs by a join", follows=PLATFORM, at_most=1, only=("product_pairs",)),
    Peer("pairs_mlxtend", "mlxtend: pairs by FP-growth", follows=PLATFORM, at_most=1, only=("product_pairs",)),
)
"""What happened: all tables of it, or some. Ours come first, and those of the others are compared with them."""

HISTORY_OF_A_DAY = Peer("history", "LGS: what happened, after a day's dump", is_ours=True, follows=PLATFORM)
DAY = Peer(PLATFORM, "LGS: a day's dump on top", is_ours=True, follows=PLATFORM)
DAY_AND_ALL = Peer(PLATFORM, "LGS: both dumps from nothing", is_ours=True)
