"""`lgs run` where everything is up to date."""

import sys

from lgs_assets.cli import app

if __name__ == "__main__":
    sys.argv = ["lgs", "run"]
    app()
