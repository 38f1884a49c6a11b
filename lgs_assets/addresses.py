"""URLs of databases: parsed, and shown without any of their secrets."""

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
