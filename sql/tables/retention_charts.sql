-- derived: rebuilt at will from other tables
create table retention_charts (
    name text collate "C" primary key check (name ~ '^[a-z0-9_]+$'),
    position smallint not null unique check (position > 0),
    title text collate "C" not null check (title <> ''),
    png bytea not null,
    svg text collate "C" not null
);

comment on table retention_charts is 'Charts of whether customers come back. One row per chart.';
comment on column retention_charts.name is 'Name of the chart, and of its file when it is exported.';
comment on column retention_charts.position is 'Order within these charts.';
comment on column retention_charts.title is 'Title of the chart.';
comment on column retention_charts.png is 'The chart as a PNG file.';
comment on column retention_charts.svg is 'The chart as an SVG file.';
