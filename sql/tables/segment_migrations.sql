-- derived: rebuilt at will from other tables
create table segment_migrations (
    step bigint not null check (step in (1, 3, 12)),
    snapshot_from timestamp not null,
    snapshot_to timestamp not null,
    segment_from text collate "C" not null,
    segment_to text collate "C" not null,
    direction text collate "C" check (direction in ('up', 'down', 'neither')),
    cause text collate "C" not null check (
        cause in (
            'first purchase', 'stayed', 'boundary offset the change', 'purchase', 'ageing', 'boundary',
            'purchase and boundary', 'ageing and boundary'
        )
    ),
    customers bigint not null check (customers > 0),
    monetary_before numeric not null check (monetary_before >= 0),
    sales_between numeric not null check (sales_between >= 0),
    sales_between_once numeric not null check (sales_between_once between 0 and sales_between),
    is_partial boolean not null,
    primary key (step, snapshot_to, segment_from, segment_to, cause),
    check (snapshot_from < snapshot_to),
    check ((direction is null) = (segment_from in (segment_to, '(not yet a customer)'))),
    check ((cause = 'first purchase') = (segment_from = '(not yet a customer)')),
    check ((cause in ('stayed', 'boundary offset the change')) = (segment_from = segment_to))
);

comment on table segment_migrations is 'How customers moved between segments from one snapshot to another a month, a quarter or a year later, and why. The cause is judged by the edges of the first snapshot: by those of the second, it would be attributed differently. One row per step, both segments and cause.';
comment on column segment_migrations.step is 'How many snapshots apart the two are: 1, 3 or 12. That is months, unless the last snapshot is a date within a month.';
comment on column segment_migrations.snapshot_from is 'The first snapshot, as in rfm_history.';
comment on column segment_migrations.snapshot_to is 'The second snapshot.';
comment on column segment_migrations.segment_from is 'Segment at the first snapshot; (not yet a customer) for those without a sale before it.';
comment on column segment_migrations.segment_to is 'Segment at the second snapshot.';
comment on column segment_migrations.direction is 'up if the map gives the second segment a higher range of R or F scores and no lower one, down the other way round; neither if one is higher and the other lower. NULL for those that stayed and new customers.';
comment on column segment_migrations.cause is 'For those that moved: purchase or ageing if the customer''s own values moved them, boundary if the values of others did, or both. For those that stayed: stayed, or boundary offset the change if their own values would have moved them. For new customers: first purchase.';
comment on column segment_migrations.customers is 'Customers.';
comment on column segment_migrations.monetary_before is 'Their sales before the first snapshot in pounds sterling, exact.';
comment on column segment_migrations.sales_between is 'Their sales between the two snapshots in pounds sterling, exact. An invoice that its dump holds twice in full counts twice.';
comment on column segment_migrations.sales_between_once is 'The same, each doubled invoice counted once: the figure to compare with other steps.';
comment on column segment_migrations.is_partial is 'The last month of the step is partial: the data or the snapshot ends before it does. Not comparable with whole steps.';
