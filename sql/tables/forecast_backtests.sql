-- derived: rebuilt at will from other tables
create table forecast_backtests (
    kind text collate "C" not null check (kind in ('total', 'country', 'product')),
    series text collate "C" not null,
    grain text collate "C" not null check (grain in ('month', 'week')),
    horizon bigint not null check (horizon > 0),
    origin date not null,
    period_start date not null check (period_start >= origin),
    method text collate "C" not null,
    is_chosen boolean not null,
    is_learnt boolean not null,
    forecast double precision not null check (forecast >= 0),
    actual double precision not null,
    low_80 double precision,
    high_80 double precision,
    low_95 double precision,
    high_95 double precision,
    chosen_by date,
    sum_low_80 double precision,
    sum_high_80 double precision check (sum_high_80 >= sum_low_80),
    primary key (kind, series, grain, horizon, origin, period_start, method),
    check (low_95 <= low_80 and low_80 <= forecast and forecast <= high_80 and high_80 <= high_95),
    check ((low_80 is null) = (high_80 is null)),
    check ((low_95 is null) = (high_95 is null)),
    check (low_95 is null or low_80 is not null),
    check ((sum_low_80 is null) = (sum_high_80 is null)),
    check (sum_low_80 is null or kind = 'product')
);

comment on table forecast_backtests is 'What each method would have forecast on past days, and what came. One row a series, horizon, origin, period and method.';
comment on column forecast_backtests.kind is 'As in daily_series.';
comment on column forecast_backtests.series is 'As in daily_series.';
comment on column forecast_backtests.grain is 'Whether the periods are months or weeks from Monday.';
comment on column forecast_backtests.horizon is 'How many periods are forecast at once.';
comment on column forecast_backtests.origin is 'The first day that is forecast: only days before it were known.';
comment on column forecast_backtests.period_start is 'First day of the period.';
comment on column forecast_backtests.method is 'Method.';
comment on column forecast_backtests.is_chosen is 'Whether this method would have been used: the one with the least error on the earlier origins of its kind and horizon, or a set one while these are fewer than four.';
comment on column forecast_backtests.is_learnt is 'Whether it would have been used with the baseline in the place of the set method, which was picked with these origins in view.';
comment on column forecast_backtests.forecast is 'Pounds sterling, or units.';
comment on column forecast_backtests.actual is 'What came.';
comment on column forecast_backtests.low_80 is 'Lower end of the 80 % interval, by the rule of forecasts from the errors on the origins that were over by then. NULL while there are too few.';
comment on column forecast_backtests.high_80 is 'Its upper end.';
comment on column forecast_backtests.low_95 is 'Lower end of the 95 % interval. NULL while there are too few errors for that.';
comment on column forecast_backtests.high_95 is 'Its upper end.';
comment on column forecast_backtests.chosen_by is 'The end of the last period that the choice rests on; a check holds that it is not after origin. NULL at the first origin.';
comment on column forecast_backtests.sum_low_80 is 'Lower end of the 80 % interval of the sum of all periods from this origin, by the rule of forecasts; the same for each of them. NULL while there are too few errors of sums, and but for products.';
comment on column forecast_backtests.sum_high_80 is 'Its upper end.';
