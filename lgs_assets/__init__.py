"""The customer-analytics platform of a retailer: from invoice dumps to segments and charts."""

import os

from lgs_assets import project

# Before anything imports matplotlib, which else keeps its list of fonts in the user's home.
os.environ.setdefault("MPLCONFIGDIR", str(project.state() / "matplotlib"))
