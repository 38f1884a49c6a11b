"""The report's charts: pure functions, frames in, figures out. Knows no Dagster and no database.

A chart is a decorated function in one of the modules of `families`; what the families share is here. Importing any of
it loads no matplotlib: reading what charts declare must cost nothing where nothing is drawn.
"""
