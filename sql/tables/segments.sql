-- derived: rebuilt at will from other tables
create table segments (
    customer_id integer primary key,
    segment text collate "C" not null,
    recency_days integer not null,
    frequency bigint not null,
    monetary numeric not null,
    net_revenue numeric not null,
    kept_pct numeric not null,
    rfm_score text collate "C" not null,
    behaviour text collate "C" not null,
    strategy text collate "C" not null
);

comment on table segments is 'The segment of each customer, from the R and F scores. One row per customer.';
comment on column segments.customer_id is 'Customer.';
comment on column segments.segment is 'Name of the segment.';
comment on column segments.recency_days is 'Whole days since the last sale, at the snapshot date.';
comment on column segments.frequency is 'Distinct invoices.';
comment on column segments.monetary is 'Sum of line_total over sales in pounds sterling: sales before returns.';
comment on column segments.net_revenue is 'Sum of line_total over all lines of the customer before the snapshot date in pounds sterling, cancellations and refunds included: sales after returns.';
comment on column segments.kept_pct is 'net_revenue in percent of monetary, to 6 places. Below 0 if more came back than was bought, such as goods bought before the data begins.';
comment on column segments.rfm_score is 'The three digits of the R, F and M scores.';
comment on column segments.behaviour is 'How the customers of the segment behave.';
comment on column segments.strategy is 'What marketing does with them.';
