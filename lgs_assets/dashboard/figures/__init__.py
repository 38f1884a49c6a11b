"""Figures as SVG: pure functions, values in, shapes out. Nothing about where the values come from.

Places across are percents of the width, so that a figure fits any screen and its text stays legible; places down are
pixels. Colours and words are those of the report's charts.
"""
