-- What was predicted on past days and what came, by tenth of the customers of each day: over all days, and how far single
-- days were off. The error is a share of what came for sales, and points for the risk.
with days as (
    select
        *,
        case when kind = 'risk' then predicted - came when came > 0 then predicted / came - 1 end as error,
        sum(predictions * (predicted - came)) over day as day_gap,
        sum(predictions * came) over day as day_came,
        sum(predictions * abs(predicted - came)) over day / sum(predictions) over day as day_off
    from prediction_calibration
    window day as (partition by kind, as_of)
)

select
    kind, place, sum(predictions) as customers, sum(predictions * predicted) / sum(predictions) as predicted,
    sum(predictions * came) / sum(predictions) as came, min(error) as error_low, max(error) as error_high,
    min(predictions) as fewest, count(*) as days, min(as_of) as first_day, max(as_of) as last_day,
    min(day_gap / nullif(day_came, 0)) as total_low, max(day_gap / nullif(day_came, 0)) as total_high,
    avg(day_off) as mean_off, min(day_off) as least_off, max(day_off) as most_off
from days
group by kind, place
order by kind, place
