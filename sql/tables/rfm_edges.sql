-- derived: rebuilt at will from other tables
create table rfm_edges (
    snapshot_date timestamp not null,
    score smallint not null check (score between 1 and 5),
    recency_min integer check (recency_min >= 0),
    recency_max integer check (recency_max >= recency_min),
    r_customers bigint not null check (r_customers >= 0),
    frequency_min bigint check (frequency_min > 0),
    frequency_max bigint check (frequency_max >= frequency_min),
    frequency_max_customer_id integer,
    f_customers bigint not null check (f_customers >= 0),
    primary key (snapshot_date, score),
    check ((r_customers = 0) = (recency_max is null)),
    check ((f_customers = 0) = (frequency_max is null))
);

comment on table rfm_edges is 'Where the R and F scores of each snapshot begin and end. They drift, since customers are only ever added. One row per snapshot and score.';
comment on column rfm_edges.snapshot_date is 'The moment of the scores, as in rfm_history.';
comment on column rfm_edges.score is 'The score, 1 to 5, 5 best.';
comment on column rfm_edges.recency_min is 'Fewest recency_days with this r_score. NULL if nobody has it.';
comment on column rfm_edges.recency_max is 'Most recency_days with this r_score. NULL if nobody has it.';
comment on column rfm_edges.r_customers is 'Customers with this r_score.';
comment on column rfm_edges.frequency_min is 'Lowest frequency with this f_score. NULL if nobody has it.';
comment on column rfm_edges.frequency_max is 'Highest frequency with this f_score. NULL if nobody has it.';
comment on column rfm_edges.frequency_max_customer_id is 'Highest customer_id among those with frequency_max in this f_score, which decides on equal frequencies. NULL if they are scored together.';
comment on column rfm_edges.f_customers is 'Customers with this f_score.';
