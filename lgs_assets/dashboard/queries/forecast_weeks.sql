-- Net sales of the weeks to come, doubled invoices once: of one country, or of everybody.
select period_start, forecast, low_80, high_80, low_95, high_95, year_before, method
from forecasts
where grain = 'week' and kind = case when cast(:country as text) is null then 'total' else 'country' end
    and (cast(:country as text) is null or series = :country)
order by period_start
