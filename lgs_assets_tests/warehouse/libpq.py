"""The variables by which people tell libpq of other servers."""

from psycopg.pq import Conninfo

# Every variable that libpq or the server obeys, with a value that makes no sense.
NONSENSE = {option.envvar.decode(): "nonsense" for option in Conninfo.get_defaults() if option.envvar} | dict.fromkeys(
    ["PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGDATA", "PGSSLKEYLOGFILE"],
    "nonsense",
)
# Values that make good sense for another server.
ELSEWHERE = {
    "PGSSLMODE": "require",
    "PGSSLROOTCERT": "system",
    "PGSSLNEGOTIATION": "direct",
    "PGSSLCERTMODE": "require",
    "PGSSLMAXPROTOCOLVERSION": "TLSv1",
    "PGCHANNELBINDING": "require",
    "PGREQUIREAUTH": "none",
    "PGGSSENCMODE": "require",
    "PGHOSTADDR": "192.0.2.1",  # nobody answers there
    "PGTARGETSESSIONATTRS": "standby",
    "PGCONNECT_TIMEOUT": "1",
    "PGCLIENTENCODING": "SJIS",
    "PGDATESTYLE": "German, DMY",
    "PGTZ": "Asia/Tokyo",
    "PGOPTIONS": "-c default_transaction_read_only=on -c search_path=nowhere",
}
