-- What was predicted on past days and what came, by tenth of the customers of each day.
select kind, place, predictions as customers, predicted, came, days, first_day, last_day
from prediction_calibration
order by kind, place
