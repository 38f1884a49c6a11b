"""The tables as pages: reads, never writes. Knows no Dagster.

A page is a function of its URL and the tables: `filters` reads the URL, `queries` the tables, `pages` says what is on
each page, `figures` draws, `templates` writes it down, and `app` serves it.
"""

PORT = 8050
"""Where the pages are on this machine, unless another port is chosen."""
