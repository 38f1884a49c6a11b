-- No model learns from a period that ends after the first day that it forecasts: it would know what it is to predict.
-- blocking
select * from forecast_backtests where chosen_by > origin
