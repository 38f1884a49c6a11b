-- What each model is for, and how wrong it has been.
select task, title, model, purpose, data, rule, measured_error, limits, unavailable_because
from model_cards
order by position
