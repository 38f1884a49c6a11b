"""How dumps come: dropped into the inbox, or pulled from a database."""
