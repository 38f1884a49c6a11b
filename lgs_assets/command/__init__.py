"""`lgs`: the platform from a terminal."""
