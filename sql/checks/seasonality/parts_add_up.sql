-- Trend, season and remainder add up to the value, except for the last digits of floats.
-- error
select series, invoice_month, value, trend, season, remainder
from seasonality
where abs(value - trend - season - remainder) > 0.000001 * greatest(1, abs(value))
