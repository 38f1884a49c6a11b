-- derived: rebuilt at will from other tables
create table slipping (
    customer_id integer primary key,
    as_of date not null,
    model text collate "C" not null,
    segment text collate "C" not null check (segment in ('Champions', 'Loyal Customers')),
    rank bigint not null check (rank > 0),
    snapshot_recency_days integer not null check (snapshot_recency_days >= 0),
    edge_days integer not null check (edge_days >= snapshot_recency_days),
    days_to_edge integer not null check (days_to_edge = edge_days - snapshot_recency_days),
    recency_share double precision not null check (recency_share between 0 and 1),
    sales_365 numeric not null check (sales_365 >= 0)
);

comment on table slipping is 'Loyal Customers and Champions in the order of their risk of being in At Risk, Can''t Lose, Hibernating or About to Sleep three months on: a rank, not a probability. One row a customer; none while too little has been observed.';
comment on column slipping.customer_id is 'Customer.';
comment on column slipping.as_of is 'The moment that it is predicted from.';
comment on column slipping.model is 'What ranks them.';
comment on column slipping.segment is 'Segment as of the moment.';
comment on column slipping.rank is 'Place by risk, from 1, the most at risk.';
comment on column slipping.snapshot_recency_days is 'Whole days from the last sale to as_of.';
comment on column slipping.edge_days is 'The largest snapshot_recency_days of the customers whose R score is 3: the edge as of the moment, which drifts.';
comment on column slipping.days_to_edge is 'Days without a purchase until the edge is reached, as it is now.';
comment on column slipping.recency_share is 'Share of the customers of the moment who bought as recently or more so.';
comment on column slipping.sales_365 is 'Sales of the last 365 days in pounds sterling, exact: what is at risk.';
