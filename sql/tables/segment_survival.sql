-- derived: rebuilt at will from other tables
create table segment_survival (
    segment text collate "C" not null,
    months bigint not null check (months >= 0),
    entries bigint not null check (entries > 0),
    remaining bigint not null check (remaining between 0 and entries),
    survival_pct numeric not null check (survival_pct between 0 and 100),
    primary key (segment, months),
    check (months > 0 or remaining = entries)
);

comment on table segment_survival is 'How long customers stay in a segment: how many of those who entered it were still in it a number of months later, without a break. Customers who were in it at the first snapshot are left out, since nobody knows how long they had been; so is a partial month. One row per segment and months.';
comment on column segment_survival.segment is 'Segment.';
comment on column segment_survival.months is 'Snapshots, which are months, since the one at which the customer entered the segment.';
comment on column segment_survival.entries is 'Customers who entered the segment at least this long ago, counted once for each entry.';
comment on column segment_survival.remaining is 'Those who have been in it ever since.';
comment on column segment_survival.survival_pct is 'remaining as a share of entries, in percent, to 6 places.';
