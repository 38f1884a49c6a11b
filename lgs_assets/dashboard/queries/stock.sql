-- Units of the best-selling products to come, and those of the same weeks a year before.
select
    series as code, products.description, sum(forecast) filter (where horizon = 4) as units_4,
    case when bool_and(year_before is not null) filter (where horizon = 4)
        then sum(year_before) filter (where horizon = 4) end as year_before_4,
    sum(forecast) filter (where horizon = 13) as units_13,
    case when bool_and(year_before is not null) filter (where horizon = 13)
        then sum(year_before) filter (where horizon = 13) end as year_before_13,
    min(sum_low_80) filter (where horizon = 4) as low_80_4, min(sum_high_80) filter (where horizon = 4) as high_80_4,
    min(sum_low_80) filter (where horizon = 13) as low_80_13, min(sum_high_80) filter (where horizon = 13) as high_80_13,
    min(period_start) as first_week
from forecasts
left join products on products.code = series
where kind = 'product'
group by series, products.description
order by units_13 desc, series
