-- derived: rebuilt at will from other tables
create table segment_playbook (
    segment text collate "C" primary key,
    position smallint not null unique check (position > 0),
    r_min smallint not null check (r_min between 1 and 5),
    r_max smallint not null check (r_max between r_min and 5),
    f_min smallint not null check (f_min between 1 and 5),
    f_max smallint not null check (f_max between f_min and 5),
    behaviour text collate "C" not null check (behaviour <> ''),
    strategy text collate "C" not null check (strategy <> ''),
    -- No cell of the grid belongs to two segments.
    exclude using gist (int4range(r_min, r_max, '[]') with &&, int4range(f_min, f_max, '[]') with &&)
);

comment on table segment_playbook is 'The segment map and what marketing does with each segment. One row per segment: a rectangle of the R × F grid.';
comment on column segment_playbook.segment is 'Name of the segment.';
comment on column segment_playbook.position is 'Order in reports, best customers first.';
comment on column segment_playbook.r_min is 'Lowest r_score of the segment.';
comment on column segment_playbook.r_max is 'Highest r_score of the segment.';
comment on column segment_playbook.f_min is 'Lowest f_score of the segment.';
comment on column segment_playbook.f_max is 'Highest f_score of the segment.';
comment on column segment_playbook.behaviour is 'How these customers behave, in one line.';
comment on column segment_playbook.strategy is 'What marketing does with them, in one line.';
