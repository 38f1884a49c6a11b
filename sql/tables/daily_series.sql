-- derived: rebuilt at will from other tables
create table daily_series (
    kind text collate "C" not null check (kind in ('total', 'country', 'product')),
    series text collate "C" not null,
    day date not null,
    amount numeric not null,
    primary key (kind, series, day)
);

comment on table daily_series is 'What is forecast, day by day: net sales in total and by country, and units of the products that sell most; doubled invoices counted once, whatever the setting. One row a series and day with lines before the as_of of prediction_terms.';
comment on column daily_series.kind is 'total: net sales; country: net sales of the eight countries with most of them, and of the others together; product: units sold of the products that were among the 50 best-selling of the 52 weeks before today or a past day that forecasts are judged from.';
comment on column daily_series.series is 'All sales; the country, or Other countries; the code of the product.';
comment on column daily_series.day is 'The day.';
comment on column daily_series.amount is 'Pounds sterling, refunds taken off, exact; or units sold.';
