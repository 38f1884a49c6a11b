-- derived: rebuilt at will from other tables
create table segment_survival (
    segment text not null,
    months bigint not null check (months >= 0),
    entries bigint not null check (entries > 0),
    remaining bigint not null check (remaining between 0 and entries),
    survival_pct numeric not null check (survival_pct between 0 and 100),
    primary key (segment, months),
    check (months > 0 or remaining = entries)
);

comment on table segment_survival is 'How long customers stay in a segment: of those who entered it, how many were still in it so many months later, without a break. Customers who were in it at the first snapshot are left out, since nobody knows for how long; so is a partial month. One row a segment and months.';
comment on column segment_survival.segment is 'Segment.';
comment on column segment_survival.months is 'Snapshots since the one at which the customer entered the segment, which is months.';
comment on column segment_survival.entries is 'Customers who entered the segment at least so long ago; once for each time that one did.';
comment on column segment_survival.remaining is 'Those who have been in it ever since.';
comment on column segment_survival.survival_pct is 'remaining as a share of entries, in percent, to 6 places.';
