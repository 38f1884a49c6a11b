-- derived: rebuilt at will from other tables
create table rfm_scores (
    customer_id integer primary key,
    snapshot_date timestamp not null,
    last_invoice_at timestamp not null,
    recency_days integer not null check (recency_days >= 0),
    frequency bigint not null check (frequency > 0),
    monetary numeric not null check (monetary > 0),
    r_score smallint not null check (r_score between 1 and 5),
    f_score smallint not null check (f_score between 1 and 5),
    m_score smallint not null check (m_score between 1 and 5),
    rfm_score text collate "C" not null check (rfm_score ~ '^[1-5]{3}$'),
    check (last_invoice_at <= snapshot_date)
);

comment on table rfm_scores is 'Recency, frequency and monetary value of each customer, over is_sale lines, and their quintiles, 5 best. One row per customer.';
comment on column rfm_scores.customer_id is 'Customer.';
comment on column rfm_scores.snapshot_date is 'The moment from which recency looks back: the setting, or the first day of the month after the last invoice.';
comment on column rfm_scores.last_invoice_at is 'Latest invoice_date of the customer''s sales.';
comment on column rfm_scores.recency_days is 'Whole days from last_invoice_at to snapshot_date.';
comment on column rfm_scores.frequency is 'Distinct invoices.';
comment on column rfm_scores.monetary is 'Sum of line_total in pounds sterling, exact.';
comment on column rfm_scores.r_score is 'Quintile of recency_days; 5 is the most recent fifth.';
comment on column rfm_scores.f_score is 'Quintile of frequency; 5 is the most frequent fifth. The setting ties decides on equal frequencies.';
comment on column rfm_scores.m_score is 'Quintile of monetary; 5 is the highest fifth.';
comment on column rfm_scores.rfm_score is 'The three digits r_score, f_score, m_score.';
