-- derived: rebuilt at will from other tables
create table audience_facts (
    customer_id integer primary key,
    snapshot_date timestamp not null,
    segment text collate "C" not null,
    rfm_score text collate "C" not null,
    r_score smallint not null,
    f_score smallint not null,
    m_score smallint not null,
    recency_days integer not null,
    frequency bigint not null,
    monetary numeric not null,
    net_revenue numeric not null,
    kept_pct numeric not null,
    country text collate "C" not null,
    first_sale_at timestamp not null,
    last_invoice_at timestamp not null,
    purchase_days bigint not null,
    typical_order numeric not null,
    typical_gap_days numeric,
    gaps_missed numeric check (gaps_missed >= 0),
    value numeric,
    risk_band text collate "C" check (risk_band in ('low', 'medium', 'high')),
    expected_next_day date
);

comment on table audience_facts is 'What the rule of an audience may ask of a customer. One row a customer with a segment.';
comment on column audience_facts.customer_id is 'Customer.';
comment on column audience_facts.snapshot_date is 'The moment that recency looks back from.';
comment on column audience_facts.segment is 'Name of the segment.';
comment on column audience_facts.rfm_score is 'The three digits of the R, F and M scores.';
comment on column audience_facts.r_score is 'Quintile of recency_days; 5 is the most recent fifth.';
comment on column audience_facts.f_score is 'Quintile of frequency; 5 is the most frequent fifth.';
comment on column audience_facts.m_score is 'Quintile of monetary; 5 is the highest fifth.';
comment on column audience_facts.recency_days is 'Whole days since the last sale, at the snapshot date.';
comment on column audience_facts.frequency is 'Distinct invoices.';
comment on column audience_facts.monetary is 'Sales before returns in pounds sterling, exact.';
comment on column audience_facts.net_revenue is 'Sales after returns in pounds sterling, exact.';
comment on column audience_facts.kept_pct is 'net_revenue in percent of monetary, to 6 places.';
comment on column audience_facts.country is 'Country with the most sales to the customer.';
comment on column audience_facts.first_sale_at is 'Earliest invoice_date of the sales.';
comment on column audience_facts.last_invoice_at is 'Latest invoice_date of the sales before the snapshot date.';
comment on column audience_facts.purchase_days is 'Distinct days with a sale.';
comment on column audience_facts.typical_order is 'Median amount of the orders in pounds sterling.';
comment on column audience_facts.typical_gap_days is 'Median of the days from one purchase day to the next. NULL if there is one only.';
comment on column audience_facts.gaps_missed is 'recency_days in typical gaps, to 6 places: above 1, the next order is overdue. NULL if no gap is known.';
comment on column audience_facts.value is 'Sales expected in the next 182 days in pounds sterling, before returns, from customer_value. NULL if nothing is predicted of the customer.';
comment on column audience_facts.risk_band is 'Risk of no purchase in the next 90 days, from churn_risk: low, medium or high. NULL if nothing is predicted, as of customers without a purchase in 365 days.';
comment on column audience_facts.expected_next_day is 'When the next purchase is due, from churn_risk. NULL if either is not known.';
