"""A code location with the tables of one page, for a deployment whose runs need not draw a report."""

from lgs_assets import definitions
from lgs_assets.configuration import Configuration
from lgs_assets_tests.builders import leave_few_tables
from lgs_assets_tests.test_deployment import TABLES

leave_few_tables(tables=TABLES)
defs = definitions.build_definitions(Configuration.read())
