"""Wording that several modules share: numbers of things, how to give costs, what a risk does not mean."""

HOW_TO_GIVE_COSTS = "lgs costs import FILE takes them: a CSV with stock_code, valid_from and unit_cost"

UNCALIBRATED = "On past days the level of the risk was too far off: low, medium and high are an order, not chances."


def counted(number: int, noun: str) -> str:
    """A number of things: 1 row, 2,000 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
