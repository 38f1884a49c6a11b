"""Whether a campaign worked: declared before it begins, drawn by lot, held to, and analysed as it was drawn.

An experiment runs through the modules in this order: `declaration`, `detectable`, `starting`, `holdout`, `conduct`,
`state`, `treated`, `exposures`, `outcomes`, `comparison`, `results`, and, for its readers, `words`, `report` and
`picture`.
"""
