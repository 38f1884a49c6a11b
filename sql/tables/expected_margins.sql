-- derived: rebuilt at will from other tables
create table expected_margins (
    kind text collate "C" not null check (kind in ('total', 'country', 'customer')),
    series text collate "C" not null,
    period_start date not null,
    days bigint not null check (days > 0),
    sales numeric not null,
    known_share numeric not null check (known_share > 0 and known_share <= 1),
    margin_rate numeric not null check (margin_rate = round(margin_rate, 6)),
    margin_low numeric check (margin_low = round(margin_low, 2)),
    margin numeric not null check (margin = round(sales * margin_rate, 2)),
    margin_high numeric check (margin_high = round(margin_high, 2)),
    primary key (kind, series, period_start, days),
    check (margin_low <= margin and margin <= margin_high),
    check ((margin_low is null) = (margin_high is null))
);

comment on table expected_margins is 'What expected sales will earn, if a pound earns what it earned in the last twelve whole months: forecasts by month, and the value of customers, times that rate. Empty until unit costs are imported. One row a kind, series and period; none for a series that sold nothing with a known cost in these months.';
comment on column expected_margins.kind is 'total and country: a month of forecasts; customer: a horizon of customer_value.';
comment on column expected_margins.series is 'As in forecasts; the customer.';
comment on column expected_margins.period_start is 'First day of the month; the moment that customers are predicted from.';
comment on column expected_margins.days is 'Length of the period.';
comment on column expected_margins.sales is 'What is expected of it, in pounds sterling, as forecasts and customer_value have it.';
comment on column expected_margins.known_share is 'Of product sales in these twelve months, the share whose unit cost is known, to 6 places. The rest is taken to earn as much.';
comment on column expected_margins.margin_rate is 'margin ÷ known_sales of margins in these twelve months, to 6 places: of product sales before returns.';
comment on column expected_margins.margin_low is 'Lower end of the 80 % interval of sales, at that rate. That the rate may change is not in it. NULL where sales have no interval.';
comment on column expected_margins.margin is 'sales × margin_rate, in pounds sterling.';
comment on column expected_margins.margin_high is 'Upper end.';
