"""How dumps and unit costs come: dropped into the inbox, pulled from a database, or as a CSV file of costs."""
