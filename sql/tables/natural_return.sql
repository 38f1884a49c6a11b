-- derived: rebuilt at will from other tables
create table natural_return (
    segment text collate "C" not null,
    snapshot_date timestamp not null,
    months integer not null check (months in (3, 6)),
    customers bigint not null check (customers > 0),
    came_back bigint not null check (came_back between 0 and customers),
    sales_after numeric not null check (sales_after >= 0),
    net_after numeric not null,
    net_before numeric,
    sales_after_once numeric not null check (sales_after_once between 0 and sales_after),
    net_after_once numeric not null,
    net_before_once numeric check ((net_before_once is null) = (net_before is null)),
    primary key (segment, snapshot_date, months),
    check ((came_back = 0) = (sales_after = 0))
);

comment on table natural_return is 'What the customers of each segment did next, with no campaign told apart: how many bought again, and for how much. What a report without a control group would claim for a campaign. One row per segment, start and length of the window.';
comment on column natural_return.segment is 'Segment at the start.';
comment on column natural_return.snapshot_date is 'The start: the first day of a month. Segments are made only from sales before it.';
comment on column natural_return.months is 'Length of the window in calendar months: 3 or 6. The data covers all of it.';
comment on column natural_return.customers is 'Customers in the segment at the start.';
comment on column natural_return.came_back is 'Those of them with a sale in the window.';
comment on column natural_return.sales_after is 'Their sales in the window before returns, in pounds sterling.';
comment on column natural_return.net_after is 'Their sales in the window after returns. Returns may be of earlier sales.';
comment on column natural_return.net_before is 'Their sales after returns in the window of the same length before the start. NULL if the data does not cover it.';
comment on column natural_return.sales_after_once is 'sales_after with each doubled invoice counted once: comparable from one start to another.';
comment on column natural_return.net_after_once is 'net_after with each doubled invoice counted once.';
comment on column natural_return.net_before_once is 'net_before with each doubled invoice counted once: compare it with net_after_once.';
