-- derived: rebuilt at will from other tables
create table rfm_history (
    snapshot_date timestamp not null,
    customer_id integer not null,
    last_invoice_at timestamp not null,
    recency_days integer not null check (recency_days >= 0),
    frequency bigint not null check (frequency > 0),
    monetary numeric not null check (monetary > 0),
    monetary_once numeric not null check (monetary_once > 0 and monetary_once <= monetary),
    r_score smallint not null check (r_score between 1 and 5),
    f_score smallint not null check (f_score between 1 and 5),
    m_score smallint not null check (m_score between 1 and 5),
    segment text collate "C" not null,
    previous_segment text collate "C",
    segment_since timestamp not null check (segment_since <= snapshot_date),
    primary key (snapshot_date, customer_id),
    check (last_invoice_at < snapshot_date)
);

comment on table rfm_history is 'Recency, frequency and monetary value of each customer, over is_sale lines, with scores and segment, as of each month end and at the snapshot date. Scores are relative to the other customers of that snapshot. One row per snapshot and customer.';
comment on column rfm_history.snapshot_date is 'The moment: only sales strictly before it count. The first day of a month stands for the end of the month before; the last is the snapshot date.';
comment on column rfm_history.customer_id is 'Customer.';
comment on column rfm_history.last_invoice_at is 'Latest invoice_date of the customer''s sales before the snapshot.';
comment on column rfm_history.recency_days is 'Whole days from last_invoice_at to snapshot_date.';
comment on column rfm_history.frequency is 'Distinct invoices before the snapshot.';
comment on column rfm_history.monetary is 'Sum of line_total before the snapshot in pounds sterling, exact. An invoice that its dump holds twice in full counts twice.';
comment on column rfm_history.monetary_once is 'The same, each doubled invoice counted once: its growth is comparable from month to month.';
comment on column rfm_history.r_score is 'Quintile of recency_days among the customers of the snapshot; 5 is the most recent fifth.';
comment on column rfm_history.f_score is 'Quintile of frequency; 5 is the most frequent fifth. The setting ties decides on equal frequencies.';
comment on column rfm_history.m_score is 'Quintile of monetary; 5 is the highest fifth.';
comment on column rfm_history.segment is 'Segment for the R and F scores.';
comment on column rfm_history.previous_segment is 'Segment at the previous snapshot. NULL at the customer''s first.';
comment on column rfm_history.segment_since is 'The snapshot since which the customer has been in this segment without a break.';
