-- derived: rebuilt at will from other tables
create table trend_statistics (
    series text collate "C" not null,
    method text collate "C" not null check (method in ('level', 'level, by month', 'log', 'log, by month', 'year on year')),
    months bigint not null check (months >= 0),
    change_pct double precision,
    change_low_pct double precision,
    change_high_pct double precision check (change_high_pct >= change_low_pct),
    slope_per_month double precision,
    standard_error double precision check (standard_error >= 0),
    p_value double precision check (p_value between 0 and 1),
    holm_p double precision check (holm_p between 0 and 1),
    ci_low double precision,
    ci_high double precision check (ci_high >= ci_low),
    plain_standard_error double precision,
    plain_p_value double precision check (plain_p_value between 0 and 1),
    r_squared double precision,
    durbin_watson double precision,
    residual_df double precision,
    reason text collate "C",
    primary key (series, method),
    check ((slope_per_month is null) = (reason is not null))
);

comment on table trend_statistics is 'How each monthly series moves with time, over its whole months, and how certain that is: two years cannot tell a slope from a step. One row per series and method.';
comment on column trend_statistics.series is 'Series, as in monthly_series. In the data''s first months everybody seems new: while these count, new customers fall and existing customers rise for that alone, however small p is.';
comment on column trend_statistics.method is 'level: a straight line through the values; log: through their logarithms; by month: with a level for each month of the year; year on year: the mean logarithm of the ratio of the last twelve months to the same months before.';
comment on column trend_statistics.months is 'Whole months.';
comment on column trend_statistics.change_pct is 'The last twelve months together against the twelve before, in percent.';
comment on column trend_statistics.change_low_pct is 'Lower end of the 95 % interval of the mean change of a month on the same month before, in percent: each month counts as much as any, where change_pct is that of their sums. NULL but for year on year.';
comment on column trend_statistics.change_high_pct is 'Its upper end.';
comment on column trend_statistics.slope_per_month is 'Change per month: in the unit of the series, or of its logarithm.';
comment on column trend_statistics.standard_error is 'Its standard error: Newey-West''s with two lags; for year on year, that of the mean.';
comment on column trend_statistics.p_value is 'How probable a change this large is without a trend: from the t-test with that error.';
comment on column trend_statistics.holm_p is 'p_value corrected by Holm''s method for the number of series that have one: those without logarithms count in no method that takes them.';
comment on column trend_statistics.ci_low is 'Lower end of the 95 % interval of slope_per_month, in its unit.';
comment on column trend_statistics.ci_high is 'Its upper end.';
comment on column trend_statistics.plain_standard_error is 'Standard error of the line as if errors were independent. NULL for year on year.';
comment on column trend_statistics.plain_p_value is 'p-value with that error; for year on year, of Wilcoxon''s signed-rank test.';
comment on column trend_statistics.r_squared is 'Share of the variance that the line explains. NULL for year on year, as is the next.';
comment on column trend_statistics.durbin_watson is 'The errors'' Durbin–Watson statistic: near 2 if each is independent of the one before.';
comment on column trend_statistics.residual_df is 'Degrees of freedom left.';
comment on column trend_statistics.reason is 'Why there are no figures. NULL if there are.';
