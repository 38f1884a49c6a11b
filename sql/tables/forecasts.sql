-- derived: rebuilt at will from other tables
create table forecasts (
    kind text collate "C" not null check (kind in ('total', 'country', 'product')),
    series text collate "C" not null,
    grain text collate "C" not null check (grain in ('month', 'week')),
    horizon bigint not null check (horizon > 0),
    period_start date not null,
    step bigint not null check (step between 1 and horizon),
    as_of date not null,
    method text collate "C" not null,
    forecast numeric not null check (forecast >= 0 and forecast = round(forecast, 2)),
    low_80 numeric check (low_80 >= 0 and low_80 = round(low_80, 2)),
    high_80 numeric check (high_80 = round(high_80, 2)),
    low_95 numeric check (low_95 >= 0 and low_95 = round(low_95, 2)),
    high_95 numeric check (high_95 = round(high_95, 2)),
    year_before numeric,
    baseline numeric check (baseline >= 0 and baseline = round(baseline, 2)),
    sum_low_80 numeric check (sum_low_80 >= 0 and sum_low_80 = round(sum_low_80, 2)),
    sum_high_80 numeric check (sum_high_80 >= sum_low_80 and sum_high_80 = round(sum_high_80, 2)),
    primary key (kind, series, grain, horizon, period_start),
    check (low_95 <= low_80 and low_80 <= forecast and forecast <= high_80 and high_80 <= high_95),
    check ((low_80 is null) = (high_80 is null)),
    check ((low_95 is null) = (high_95 is null)),
    check (low_95 is null or low_80 is not null),
    check ((sum_low_80 is null) = (sum_high_80 is null)),
    check (sum_low_80 is null or kind = 'product')
);

comment on table forecasts is 'What is to be expected of sales and of the best-selling products in the periods after the last whole one. One row a series, horizon and period; none while too little has been observed.';
comment on column forecasts.kind is 'As in daily_series.';
comment on column forecasts.series is 'As in daily_series.';
comment on column forecasts.grain is 'Whether the periods are months or weeks from Monday.';
comment on column forecasts.horizon is 'How many periods are forecast at once.';
comment on column forecasts.period_start is 'First day of the period.';
comment on column forecasts.step is 'Number of the period, from 1.';
comment on column forecasts.as_of is 'The moment that it is predicted from.';
comment on column forecasts.method is 'The method with the least error on past origins of its kind and horizon; the baseline, if that is no better.';
comment on column forecasts.forecast is 'Net sales in pounds sterling, or units; rounded once.';
comment on column forecasts.low_80 is 'Lower end of the 80 % interval, from past errors of its kind and horizon in units of the series'' own mean error. NULL where these are too few to say.';
comment on column forecasts.high_80 is 'Its upper end.';
comment on column forecasts.low_95 is 'Lower end of the 95 % interval, which takes more errors to say.';
comment on column forecasts.high_95 is 'Its upper end.';
comment on column forecasts.year_before is 'The same period a year before: the month, or the week 52 weeks earlier. NULL if it was not observed: a month without any line, unless the same month of an earlier year has none either.';
comment on column forecasts.baseline is 'What the baseline of its kind and horizon says of the period.';
comment on column forecasts.sum_low_80 is 'Lower end of the 80 % interval of the sum of all periods of the horizon, from the errors of past sums; the same for each of them. NULL where these are too few to say, and but for products, which are ordered so.';
comment on column forecasts.sum_high_80 is 'Its upper end.';
