"""Prepares a PostgreSQL server for the platform: two databases, the warehouse's schema, its roles, and four logins.

It runs before each start and updates what is there: to a new password in the environment, say.
It connects as an administrator, by libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD), who may create databases
and roles but need not be a superuser.
"""

import os
import sys

import psycopg
from psycopg import sql

from lgs_assets.errors import ServerError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import SCHEMA

WAREHOUSE = "warehouse"
DAGSTER = "dagster"

PIPELINE_LOGIN = "lgs_pipeline"
ANALYST_LOGIN = "lgs_analyst"
DASHBOARD_LOGIN = "lgs_dashboard"  # the role of sql/roles.sql itself
DAGSTER_LOGIN = "dagster"
PASSWORDS = {
    PIPELINE_LOGIN: "LGS_PIPELINE_PASSWORD",
    ANALYST_LOGIN: "LGS_ANALYST_PASSWORD",
    DASHBOARD_LOGIN: "LGS_DASHBOARD_PASSWORD",
    DAGSTER_LOGIN: "DAGSTER_PASSWORD",
}

# The settings of an analyst's session, besides the limits of every reader, which are in sql/roles.sql.
ANALYST_SETTINGS = {"search_path": SCHEMA, "default_transaction_read_only": "on"}
ANALYST_CONNECTIONS = 40  # each open notebook has one or a few
DASHBOARD_CONNECTIONS = 10  # its pool, and that of its successor while it is replaced


def main() -> None:
    """Does all of it. The order matters: the schema's script creates the roles that the logins are put into."""
    if missing := [variable for variable in PASSWORDS.values() if not os.environ.get(variable)]:
        sys.exit(f"No password in {', '.join(missing)}: see .env.example")
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        for database in (WAREHOUSE, DAGSTER):
            make_database(server, database)
        try:
            Warehouse(f"postgresql:///{WAREHOUSE}").prepare()
        except ServerError as error:
            sys.exit(str(error))
        for login, variable in PASSWORDS.items():
            make_login(server, login, os.environ[variable])
        restrict_warehouse(server)
    with psycopg.connect(dbname=DAGSTER, autocommit=True) as dagster:
        restrict_dagster(dagster)
    print(f"Prepared: databases {WAREHOUSE} and {DAGSTER}, logins {', '.join(PASSWORDS)}")


def make_database(server: psycopg.Connection, name: str) -> None:
    """Creates the database unless it exists."""
    if not server.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def make_login(server: psycopg.Connection, name: str, password: str) -> None:
    """Creates the login unless it exists, and gives it this password. The server and its log see only its hash."""
    login = sql.Identifier(name)
    if not server.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
        server.execute(sql.SQL("create role {}").format(login))
    verifier = server.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    server.execute(sql.SQL("alter role {} login password {}").format(login, sql.Literal(verifier)))


def restrict_warehouse(server: psycopg.Connection) -> None:
    """The pipeline writes, analysts and the dashboard read, nobody else enters."""
    server.execute(f"grant lgs_writer to {PIPELINE_LOGIN}")
    server.execute(f"grant lgs_reader to {ANALYST_LOGIN}")
    server.execute(f"revoke all on database {WAREHOUSE} from public")
    server.execute(f"grant connect, temporary on database {WAREHOUSE} to lgs_owner")
    server.execute(f"grant connect on database {WAREHOUSE} to lgs_reader, {DASHBOARD_LOGIN}")
    server.execute(f"alter role {ANALYST_LOGIN} connection limit {ANALYST_CONNECTIONS}")
    server.execute(f"alter role {DASHBOARD_LOGIN} connection limit {DASHBOARD_CONNECTIONS}")
    for name, value in ANALYST_SETTINGS.items():
        server.execute(
            sql.SQL("alter role {} in database {} set {} = {}").format(
                sql.Identifier(ANALYST_LOGIN), sql.Identifier(WAREHOUSE), sql.Identifier(name), sql.Literal(value)
            )
        )


def restrict_dagster(dagster: psycopg.Connection) -> None:
    """Dagster creates and maintains its own tables; nobody else enters."""
    dagster.execute(f"revoke all on database {DAGSTER} from public")
    dagster.execute(f"grant connect, temporary on database {DAGSTER} to {DAGSTER_LOGIN}")
    dagster.execute(f"grant usage, create on schema public to {DAGSTER_LOGIN}")


if __name__ == "__main__":
    main()
