-- What was predicted on past days and what came, by tenth.
select kind, place, predictions as customers, predicted, came, days, first_day, last_day
from prediction_calibration
order by kind, place
