-- No model learns from a window that ends after the day that it is asked on: it would know what it is to predict.
-- blocking
select * from value_backtests where labels_until > as_of
