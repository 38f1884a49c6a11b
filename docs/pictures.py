"""Draws the pictures of the README from the warehouse that the environment names: the demo shop's.

    lgs run && lgs ui --port 3000 &
    python -m docs.pictures http://127.0.0.1:3000

The charts are those of the last run; the lineage is what Chromium shows of the UI at that address.
"""

import io
import shutil
import sys
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.wiring.resources import Resources

FOLDER = Path(__file__).parent

SHOWN = (
    ("monthly_sales", "sales_changes"),
    ("rfm_distributions", "segment_treemap"),
    ("segment_sizes_over_time", "segment_migration_quarter"),
    ("cohort_triangle", "customer_flow"),
    ("top_products", "country_sales"),
)
WIDTH, COLOURS = 640, 128
WINDOW = (1900, 1750)
SECONDS_TO_LAY_OUT = 90  # the page does not say when its graph is laid out; of so many assets, it takes a minute

STEPS_BACK = 2
"""The UI fits the graph to the width of its window, which leaves some of the height outside."""
SECONDS_TO_ZOOM = 3


def draw_charts(pictures: dict[str, bytes]) -> Image.Image:
    """The charts that are shown, two in a row, small and in few colours."""
    small = {name: _small(pictures[name]) for row in SHOWN for name in row}
    height = small[SHOWN[0][0]].height
    sheet = Image.new("RGB", (WIDTH * len(SHOWN[0]), height * len(SHOWN)), "white")
    for down, row in enumerate(SHOWN):
        for right, name in enumerate(row):
            sheet.paste(small[name], (right * WIDTH, down * height))
    return sheet.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def draw_lineage(address: str) -> bytes:
    """A picture of the lineage of all assets, group by group."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("--headless", "--no-sandbox", "--disable-gpu", f"--window-size={WINDOW[0]},{WINDOW[1]}"):
        options.add_argument(option)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(f"{address}/asset-groups")
        time.sleep(SECONDS_TO_LAY_OUT)
        for _ in range(STEPS_BACK):
            browser.find_element(By.CSS_SELECTOR, "[aria-label=zoom_out]").click()
        time.sleep(SECONDS_TO_ZOOM)  # the graph glides to its new size
        return browser.get_screenshot_as_png()
    finally:
        browser.quit()


def _small(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGB").resize((WIDTH, WIDTH * image.height // image.width), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    charts = read_frame(Resources.of(Configuration.read()).warehouse, "charts", ["name", "png"])
    draw_charts(dict(zip(charts["name"], charts["png"], strict=True))).save(FOLDER / "charts.png", optimize=True)
    (FOLDER / "lineage.png").write_bytes(draw_lineage(*sys.argv[1:]))
