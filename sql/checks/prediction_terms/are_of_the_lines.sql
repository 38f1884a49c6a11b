-- If there are lines before the moment of predictions, its terms are there, and tell the days of the lines that were
-- observed, the customers who had bought, and the first month end within the last three years.
-- blocking
with span as (
    select
        date_trunc('day', min(invoice_date)) as first_day,
        date_trunc('day', max(invoice_date)) + interval '1 day' as end_of_lines,
        date_trunc('day', coalesce(
            cast(:as_of as timestamp),
            cast(:snapshot_date as timestamp),
            date_trunc('month', max(invoice_date)) + interval '1 month'
        )) as moment
    from clean_invoices
),

wanted as (
    select
        span.moment,
        span.first_day,
        least(span.moment, span.end_of_lines) as observed_until,
        count(known.customer_id) as customers
    from span
    left join (
        select customer_id, cast(min(day) as timestamp) as first_purchase
        from customer_days
        where sales > 0
        group by customer_id
    ) as known on known.first_purchase < span.moment
    where span.first_day < span.moment
    group by span.moment, span.first_day, least(span.moment, span.end_of_lines)
)

select
    wanted.moment,
    prediction_terms.as_of,
    prediction_terms.features_from,
    wanted.first_day,
    prediction_terms.observed_from,
    wanted.observed_until as observed_until_of_lines,
    prediction_terms.observed_until,
    wanted.customers as customers_of_days,
    prediction_terms.customers
from wanted
full join prediction_terms on wanted.moment = cast(prediction_terms.as_of as timestamp)
where
    wanted.first_day is distinct from cast(prediction_terms.observed_from as timestamp)
    or wanted.observed_until is distinct from cast(prediction_terms.observed_until as timestamp)
    or wanted.customers is distinct from prediction_terms.customers
    or cast(prediction_terms.features_from as timestamp) is distinct from greatest(
        date_trunc('month', wanted.first_day) + interval '1 month',
        date_trunc('month', wanted.observed_until) - interval '36 months'
    )
