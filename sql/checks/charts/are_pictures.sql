-- Every chart is a PNG and an SVG file.
-- error
select name, length(png) as png_bytes, length(svg) as svg_characters
from charts
where substring(png from 1 for 4) <> '\x89504e47' or svg not like '%<svg%</svg>%'
