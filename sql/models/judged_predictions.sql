with over as (
    select
        prediction_log.*,
        row_number() over (
            partition by task, as_of, subject, figure, window_from, window_until order by made_at desc, model_version
        ) as age_rank
    from prediction_log
    where window_until <= (select observed_until from prediction_terms)
),

latest as (
    select * from over where age_rank = 1
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

sold as (
    select
        latest.as_of,
        latest.subject,
        latest.figure,
        latest.window_from,
        latest.window_until,
        coalesce(
            sum(
                case
                    when daily_series.day >= latest.window_from and daily_series.day < latest.window_until
                        then daily_series.amount
                end
            ),
            0
        ) as amount
    from latest
    inner join daily_series on latest.subject = concat(daily_series.kind, ': ', daily_series.series)
    where latest.task = 'forecasts'
    group by latest.as_of, latest.subject, latest.figure, latest.window_from, latest.window_until
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
        case
            when customer_features.segment in ('At Risk', 'Can''t Lose', 'Hibernating', 'About to Sleep') then 1
            else 0
        end as actual
    from latest
    inner join customer_features
        on latest.window_until = customer_features.as_of
        and latest.subject = cast(customer_features.customer_id as text)
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
    latest.low,
    latest.point,
    latest.high,
    came.actual
from latest
inner join came
    on latest.task = came.task
    and latest.as_of = came.as_of
    and latest.subject = came.subject
    and latest.figure = came.figure
    and latest.window_from = came.window_from
    and latest.window_until = came.window_until
