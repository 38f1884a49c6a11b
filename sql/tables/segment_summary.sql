-- derived: rebuilt at will from other tables
create table segment_summary (
    segment text collate "C" primary key,
    position smallint not null unique,
    customers bigint not null check (customers >= 0),
    customers_pct numeric not null check (customers_pct between 0 and 100),
    recency_mean numeric,
    recency_median numeric,
    frequency_mean numeric,
    frequency_median numeric,
    monetary_mean numeric,
    monetary_median numeric,
    revenue numeric not null check (revenue >= 0),
    revenue_pct numeric not null check (revenue_pct between 0 and 100),
    net_revenue numeric not null,
    kept_pct numeric,
    behaviour text collate "C" not null,
    strategy text collate "C" not null
);

comment on table segment_summary is 'Size, value and strategy of each segment. One row per segment, empty segments included.';
comment on column segment_summary.segment is 'Name of the segment.';
comment on column segment_summary.position is 'Order in reports, best customers first.';
comment on column segment_summary.customers is 'Customers in the segment.';
comment on column segment_summary.customers_pct is 'Their share of all scored customers, in percent, to 6 places.';
comment on column segment_summary.recency_mean is 'Mean of recency_days, to 6 places. NULL for an empty segment, as are the other means and medians.';
comment on column segment_summary.recency_median is 'Median of recency_days.';
comment on column segment_summary.frequency_mean is 'Mean of frequency, to 6 places.';
comment on column segment_summary.frequency_median is 'Median of frequency.';
comment on column segment_summary.monetary_mean is 'Mean of monetary in pounds sterling, to 6 places.';
comment on column segment_summary.monetary_median is 'Median of monetary in pounds sterling.';
comment on column segment_summary.revenue is 'Sum of monetary in pounds sterling, exact: sales before returns.';
comment on column segment_summary.revenue_pct is 'Its share of the revenue of all segments, in percent, to 6 places.';
comment on column segment_summary.net_revenue is 'Sum of net_revenue of its customers in pounds sterling, exact: sales after returns.';
comment on column segment_summary.kept_pct is 'net_revenue in percent of revenue, to 6 places. NULL for an empty segment.';
comment on column segment_summary.behaviour is 'How these customers behave.';
comment on column segment_summary.strategy is 'What marketing does with them.';
