-- derived: rebuilt at will from other tables
create table monthly_series (
    series text collate "C" not null,
    invoice_month date not null,
    is_partial boolean not null,
    value numeric,
    primary key (series, invoice_month)
);

comment on table monthly_series is 'The monthly figures whose trend and season are judged. One row a series and month.';
comment on column monthly_series.series is 'sales, as monthly_metrics has them; the same with doubled invoices once; placed orders; active, new and existing customers; sales per buying customer: of sale lines, doubled invoices once, and of customers with such a line.';
comment on column monthly_series.invoice_month is 'First day of the month.';
comment on column monthly_series.is_partial is 'The month is not a whole one, as monthly_metrics tells: it is left out of trend and season.';
comment on column monthly_series.value is 'Pounds sterling or a count. NULL for sales per buying customer where there is none.';
