"""What the demo shop sells: invented gifts with stock codes, descriptions and prices, and codes that are not gifts.

Prices are whole mills, tenths of a penny, so that no float ever decides one.
"""

from dataclasses import dataclass

import numpy as np

from lgs_assets.demo.arrays import Floats, Ints, Texts

PRODUCTS = 1_800
# Codes that are not gifts come after the gifts, in this order.
_CHARGES = (
    ("POST", "POSTAGE ABROAD"),
    ("M", "Entered by hand"),
    ("D", "Discount taken back"),
    ("B", "Debt written off"),
)
POSTAGE, MANUAL, DISCOUNT, BAD_DEBT = range(PRODUCTS, PRODUCTS + len(_CHARGES))

# How a line describes its product: as the catalogue does, not at all, or with a note from the stock room.
AS_LISTED, UNDESCRIBED, FIRST_NOTE = range(3)
NOTES = (
    "damp in the store room",
    "counted twice?",
    "lent to window display",
    "came apart in box",
    "sample for trade fair",
)

_FINISHES = (
    *("", "COBALT", "MUSTARD", "TERRACOTTA", "SAGE", "LAVENDER", "CHARCOAL", "COPPER", "MARBLED", "STRIPY", "QUILTED"),
    *("ENAMELLED", "WILLOW", "LACQUERED"),
)
_MOTIFS = (
    *("OTTER", "LIGHTHOUSE", "HEDGEROW", "PUFFIN", "ALLOTMENT", "NARROWBOAT", "THISTLE", "BADGER", "SNOWGLOBE"),
    *("TEASEL", "WOODPECKER", "SEASHELL", "BRASS BAND", "PENNY FARTHING", "MISTLETOE", "HARBOUR", "CLOCKWORK"),
    *("WALRUS", "DAMSON", "GREENHOUSE", "SKYLARK", "TOADSTOOL", "WEATHERVANE", "HARLEQUIN", "DANDELION"),
    *("STEAM TRAIN", "PLUM PUDDING", "MOONLIGHT", "BEEHIVE", "PICNIC", "FERN", "CAROUSEL", "KINGFISHER", "RHUBARB"),
    *("TOPIARY", "WASSAIL"),
)
# With the usual price in pounds: half of them below £3, as in the UCI data.
_THINGS = {
    **{"TEA COSY": 4.95, "EGG TIMER": 2.95, "DOORSTOP": 6.95, "BOOKENDS": 9.95, "TOAST RACK": 7.95, "LUNCH TIN": 2.55},
    **{"PENCIL ROLL": 1.85, "JIGSAW": 3.75, "OVEN GLOVE": 3.25, "TRINKET DISH": 1.65, "WALL PLANTER": 5.45},
    **{"DRAUGHT EXCLUDER": 8.45, "KEY HOOK": 1.25, "CAKE DOME": 16.0, "BIRD FEEDER": 4.25, "WASH BAG": 2.45},
    **{"LANTERN": 5.95, "HOT WATER BOTTLE COVER": 4.45, "MEMO BLOCK": 0.85, "NIGHT LIGHT": 3.45, "GARDEN TWINE": 1.45},
    **{"MONEY JAR £": 2.75, "STOCKING FILLER £1": 0.45, 'PRINT 8"X6"': 2.15, 'TRAY 14"': 6.45, '"WELCOME" SLATE': 1.95},
    **{'"DO NOT PEEK" GIFT SACK': 1.25, "BUNTING, 3M": 3.95, "COASTERS, SET OF 4": 2.25, "BAUBLES, BOX OF 6": 3.75},
    **{"SPOONS , SET OF 3": 1.65, "SALT\\PEPPER POTS": 2.95, "HIS\\HERS SLIPPERS": 7.45, "NAPKINS, PACK OF 20": 0.85},
    **{"GIFT WRAP": 0.42, "CANDLE": 0.65, "STICKERS": 0.32, "PAPER CHAIN": 0.75, "PARTY HATS": 0.85, "WREATH": 6.75},
    **{"GARLAND": 2.95, "ADVENT HOUSE": 19.0, "MUG": 1.65, "TEASPOON": 0.55, "EGG CUP": 0.95, "TEA TOWEL": 1.45},
}
# A stock code is the number of the design (motif and thing) and the letter of the finish. No number of the UCI data
# begins with 63 or 64.
_FIRST_DESIGN = 63_001
_FINISH_LETTERS = ("", *"ABCDEFGHJKLMN")
# Descriptions are typed by hand: these shares of them start with a blank, end with one, or hold two in a row.
_LEADING_BLANK_SHARE, _TRAILING_BLANK_SHARE, _DOUBLE_BLANK_SHARE = 0.04, 0.15, 0.05

_PRICE_SPREAD = 0.25  # of the designs of a thing around its usual price
_POPULARITY_SPREAD = 0.8  # of the products: a few sell most


@dataclass(frozen=True)
class Catalogue:
    """The gifts in shelf order, one element each; among the wordings, the charges come after them."""

    wordings: Texts  # stock code and description as a dump writes them, each with a tab behind
    mills: Ints  # list price
    popularity: Floats  # share of all lines that are of this gift or one before it


def draw_catalogue(rng: np.random.Generator) -> Catalogue:
    """Invents the catalogue: every stock code once."""
    combinations = np.sort(rng.choice(len(_MOTIFS) * len(_THINGS) * len(_FINISHES), PRODUCTS, replace=False))
    designs, finishes = np.divmod(combinations, len(_FINISHES))
    codes = [
        f"{_FIRST_DESIGN + place}{_FINISH_LETTERS[finish]}" for place, finish in zip(designs, finishes, strict=True)
    ]
    charge_codes, charge_names = zip(*_CHARGES, strict=True)
    popularity = np.cumsum(rng.lognormal(0, _POPULARITY_SPREAD, PRODUCTS))
    return Catalogue(
        wordings=_wordings([*codes, *charge_codes], [*_descriptions(rng, designs, finishes), *charge_names]),
        mills=_list_prices(rng)[designs],
        popularity=popularity / popularity[-1],
    )


def _descriptions(rng: np.random.Generator, designs: Ints, finishes: Ints) -> list[str]:
    blanks = (
        np.where(rng.random(PRODUCTS) < share, " ", "")
        for share in (_LEADING_BLANK_SHARE, _DOUBLE_BLANK_SHARE, _TRAILING_BLANK_SHARE)
    )
    things = list(_THINGS)
    return [
        before + f"{_FINISHES[finish]} {_MOTIFS[motif]} {between}{things[thing]}".strip() + after
        for finish, motif, thing, before, between, after in zip(
            finishes, *np.divmod(designs, len(things)), *blanks, strict=True
        )
    ]


def _wordings(codes: list[str], descriptions: list[str]) -> Texts:
    listed = [f"{code}\t{_escaped(text)}\t" for code, text in zip(codes, descriptions, strict=True)]
    others = [[f"{code}\t{text}\t" for code in codes] for text in ("\\N", *NOTES)]
    return np.array([listed, *others], dtype=object)


def _escaped(text: str) -> str:
    """A text as COPY writes it."""
    return text.replace("\\", "\\\\")


def _list_prices(rng: np.random.Generator) -> Ints:
    """The price of each design: whole pounds from £15, to 5p from £1, in half pence below."""
    usual = np.tile(list(_THINGS.values()), len(_MOTIFS))
    pounds = usual * rng.lognormal(0, _PRICE_SPREAD, len(usual))
    step = np.select([pounds >= 15, pounds >= 1], [1000, 50], default=5)
    mills: Ints = np.rint(pounds * 1000 / step).astype(np.int64) * step
    return mills
