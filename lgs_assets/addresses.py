"""URLs of databases: read and shown without a word of their secrets."""

import sqlalchemy as sa

from lgs_assets.errors import LgsError


def parse_url(text: str, *, variable: str) -> sa.URL:
    """The URL in an environment variable. Raises LgsError, which shows nothing of the text, if it is none.

    A second @ is refused: what follows the first would be taken for the host or the database, and shown, though it may
    be the end of a password.
    """
    try:
        if text.count("@") < 2:
            return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        pass  # the text of the error may hold the password, or a part of it
    raise LgsError(
        f"{variable}: expected dialect://user:password@host:port/database. Write what means something in a URL in "
        "percent: %40 for @, %3A for :, %2F for /, %25 for %."
    )


def shown(url: sa.URL) -> str:
    """The URL in a message: without its password, and without its parameters, for these may hold one, too."""
    return url.set(query={}).render_as_string(hide_password=True)
