-- derived: rebuilt at will from other tables
create table amount_charts (
    name text collate "C" primary key check (name ~ '^[a-z0-9_]+$'),
    position smallint not null unique check (position > 0),
    title text collate "C" not null check (title <> ''),
    png bytea not null,
    svg text collate "C" not null
);

comment on table amount_charts is 'Charts of how invoice amounts are distributed. One row per chart.';
comment on column amount_charts.name is 'Name of the chart, and of its file when it is exported.';
comment on column amount_charts.position is 'Order within these charts.';
comment on column amount_charts.title is 'Title of the chart.';
comment on column amount_charts.png is 'The chart as a PNG file.';
comment on column amount_charts.svg is 'The chart as an SVG file.';
