"""URLs of databases: parsed, shown without any of their secrets, and told to PostgreSQL's programs."""

import sqlalchemy as sa

from lgs_assets.errors import LgsError


def parse_url(text: str, *, variable: str) -> sa.URL:
    """The URL in an environment variable. Raises LgsError, showing nothing of the text, if it is not a URL.

    A second @ is refused: the text after the first would be taken for the host or the database, and shown, although it
    may be the end of a password.
    """
    try:
        if text.count("@") < 2:
            return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        pass  # the text of the error may hold the password, or a part of it
    raise LgsError(
        f"{variable}: expected dialect://user:password@host:port/database. Percent-encode characters that mean "
        "something in a URL: %40 for @, %3A for :, %2F for /, %25 for %."
    )


def shown(url: sa.URL) -> str:
    """The URL in a message: without its password, and without its parameters, which may also hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def libpq_variables(url: sa.URL) -> tuple[dict[str, str], dict[str, str]]:
    """The variables that say to PostgreSQL's programs what the URL does; and what none can say, but for secrets.

    Everybody may read the arguments of a process; its environment, only its own account.
    """
    from psycopg.pq import Conninfo

    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "dbname": url.database}
    words = {name: str(value) for name, value in given.items() if value is not None}
    words |= {name: ",".join(values) for name, values in url.normalized_query.items()}
    known = {option.keyword.decode(): option for option in Conninfo.get_defaults()}
    if unknown := words.keys() - known.keys():
        raise LgsError(f"LGS_DATABASE_URL: PostgreSQL has no parameter {', '.join(sorted(unknown))}.")
    variables = {envvar.decode(): word for name, word in words.items() if (envvar := known[name].envvar)}
    others = {name: word for name, word in words.items() if not (known[name].envvar or known[name].dispchar == b"*")}
    return variables, others
