-- derived: rebuilt at will from other tables
create table seasonality (
    series text collate "C" not null,
    invoice_month date not null,
    value double precision not null,
    trend double precision not null,
    season double precision not null,
    remainder double precision not null,
    primary key (series, invoice_month)
);

comment on table seasonality is 'Each whole month of each series as the sum of trend, season and remainder, by STL. Empty for series without figures in trend_statistics. One row per series and month.';
comment on column seasonality.series is 'Series, as in monthly_series.';
comment on column seasonality.invoice_month is 'First day of the month.';
comment on column seasonality.value is 'Value of the series.';
comment on column seasonality.trend is 'The part that moves slowly.';
comment on column seasonality.season is 'The part that recurs each year. Of two years it holds chance as well: see remainder.';
comment on column seasonality.remainder is 'What is left. 0 with two years of months: each month of the year then has as many levels as values.';
