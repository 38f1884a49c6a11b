-- derived: rebuilt at will from other tables
create table monthly_series (
    series text collate "C" not null,
    invoice_month date not null,
    is_partial boolean not null,
    value numeric,
    primary key (series, invoice_month)
);

comment on table monthly_series is 'The monthly figures whose trend and season are tested. One row per series and month.';
comment on column monthly_series.series is 'Sales, as in monthly_metrics; the same with doubled invoices counted once; placed orders; active, new and existing customers; and sales per buying customer: over sale lines, doubled invoices counted once, and customers with such a line.';
comment on column monthly_series.invoice_month is 'First day of the month.';
comment on column monthly_series.is_partial is 'The month is partial, see monthly_metrics: it is left out of trend and season.';
comment on column monthly_series.value is 'Pounds sterling or a count. NULL for sales per buying customer in a month without any.';
