"""A code location with few tables, for a UI whose runs need not draw a report. See `leave_few_tables`."""

from lgs_assets import definitions
from lgs_assets.configuration import Configuration
from lgs_assets_tests.builders import leave_few_tables

leave_few_tables()
defs = definitions.build_definitions(Configuration.read())
