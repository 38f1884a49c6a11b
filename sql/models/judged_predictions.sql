-- What came is taken from the lines, whatever is forecast or best-selling today. The members of "Other countries" are
-- those that were not forecast by name from the same moment. Where a month has no line at all, they are taken as missing:
-- no forecast is judged by it. The log has each customer several times a month for ever: those of a year are judged.
with told as (
    select
        prediction_log.*,
        max(made_at) over (partition by task, as_of, model_version) as last_made_at,
        -- Values have windows of several lengths, which end at different times.
        max(as_of) over (
            partition by task, case
                when task = 'customer_value'
                    then extract(day from cast(window_until as timestamp) - cast(window_from as timestamp))
            end
        ) as last_as_of
    from prediction_log
    where window_until <= (select observed_until from prediction_terms)
),

ranked as (
    select
        told.*,
        rank() over (partition by task, as_of order by last_made_at desc, model_version) as age_rank
    from told
    where task = 'forecasts' or cast(as_of as timestamp) > cast(last_as_of as timestamp) - interval '12 months'
),

latest as (
    select * from ranked where age_rank = 1
),

bought as (
    select
        latest.task,
        latest.as_of,
        latest.subject,
        latest.figure,
        latest.window_from,
        latest.window_until,
        count(customer_days.day) as purchases,
        coalesce(sum(customer_days.sales), 0) as sales
    from latest
    left join customer_days
        on latest.subject = cast(customer_days.customer_id as text)
        and customer_days.sales > 0
        and customer_days.day >= latest.window_from
        and customer_days.day < latest.window_until
    where latest.task in ('customer_value', 'churn_risk')
    group by
        latest.task, latest.as_of, latest.subject, latest.figure, latest.window_from, latest.window_until
),

forecast_from as (
    select as_of, min(window_from) as first_day, max(window_until) as until
    from latest
    where task = 'forecasts'
    group by as_of
),

span as (
    select min(first_day) as first_day, max(until) as until
    from forecast_from
    having count(*) > 0
),

country_days as (
    select country, cast(invoice_date as date) as day, sum(line_total) as amount
    from clean_invoices
    inner join span on invoice_date >= first_day and invoice_date < until
    where not is_second_copy
    group by country, cast(invoice_date as date)
),

product_days as (
    select code, cast(invoice_date as date) as day, cast(sum(quantity) as decimal(38, 6)) as amount
    from clean_invoices
    inner join span on invoice_date >= first_day and invoice_date < until
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where is_sold and not is_second_copy and is_product
    group by code, cast(invoice_date as date)
),

months_with_lines as (
    select distinct date_trunc('month', invoice_date) as month
    from clean_invoices
    inner join span on invoice_date >= date_trunc('month', cast(first_day as timestamp))
),

named as (
    select distinct as_of, subject from latest where task = 'forecasts'
),

series_days as (
    select as_of, 'total: All sales' as subject, day, amount
    from forecast_from
    cross join country_days
    union all
    select forecast_from.as_of, coalesce(named.subject, 'country: Other countries') as subject, day, amount
    from forecast_from
    cross join country_days
    left join named on forecast_from.as_of = named.as_of and named.subject = concat('country: ', country)
    union all
    select named.as_of, named.subject, day, amount
    from named
    inner join product_days on named.subject = concat('product: ', code)
),

sold as (
    select
        latest.as_of,
        latest.subject,
        latest.figure,
        latest.window_from,
        latest.window_until,
        coalesce(sum(series_days.amount), 0) as amount
    from latest
    left join series_days
        on latest.as_of = series_days.as_of
        and latest.subject = series_days.subject
        and series_days.day >= latest.window_from
        and series_days.day < latest.window_until
    where
        latest.task = 'forecasts'
        and date_trunc('month', cast(latest.window_from as timestamp)) in (select month from months_with_lines)
        and date_trunc('month', cast(latest.window_until as timestamp) - interval '1 day')
        in (select month from months_with_lines)
    group by latest.as_of, latest.subject, latest.figure, latest.window_from, latest.window_until
),

-- The rule of rfm_history at the end of each window: it may be any day.
ends as (
    select distinct window_until from latest where task = 'slipping'
),

standings as (
    select
        window_until,
        customer_id,
        cast(extract(day from cast(window_until as timestamp) - max(last_sale_at)) as integer) as recency_days,
        sum(orders) as orders
    from ends
    inner join customer_days on sales > 0 and day < window_until
    group by window_until, customer_id
),

scored as (
    select
        window_until,
        customer_id,
        6 - greatest(1, ceil(5 * percent_rank() over (partition by window_until order by recency_days))) as r_score,
        greatest(1, ceil(5 * percent_rank() over (
            partition by window_until order by orders, case when :ties = 'together' then 0 else customer_id end
        ))) as f_score
    from standings
),

stayed as (
    select window_until, cast(customer_id as text) as subject
    from scored
    inner join segment_playbook on r_score between r_min and r_max and f_score between f_min and f_max
    where segment not in ('At Risk', 'Can''t Lose', 'Hibernating', 'About to Sleep')
),

came as (
    select
        task, as_of, subject, figure, window_from, window_until,
        case
            when figure = 'purchases' then cast(purchases as decimal(38, 6))
            when figure = 'sales' then sales
            when purchases = 0 then 1
            else 0
        end as actual
    from bought
    union all
    select 'forecasts' as task, as_of, subject, figure, window_from, window_until, amount as actual
    from sold
    union all
    select
        latest.task, latest.as_of, latest.subject, latest.figure, latest.window_from, latest.window_until,
        case when stayed.subject is null then 1 else 0 end as actual
    from latest
    left join stayed on latest.window_until = stayed.window_until and latest.subject = stayed.subject
    where latest.task = 'slipping'
)

select
    latest.task,
    latest.as_of,
    latest.subject,
    latest.figure,
    latest.window_from,
    latest.window_until,
    latest.model,
    latest.segment,
    latest.low_95,
    latest.low,
    latest.point,
    latest.high,
    latest.high_95,
    latest.baseline,
    came.actual
from latest
inner join came
    on latest.task = came.task
    and latest.as_of = came.as_of
    and latest.subject = came.subject
    and latest.figure = came.figure
    and latest.window_from = came.window_from
    and latest.window_until = came.window_until
