-- derived: rebuilt at will from other tables
create table charts (
    name text collate "C" primary key check (name ~ '^[a-z0-9_]+$'),
    position smallint not null unique check (position > 0),
    title text collate "C" not null check (title <> ''),
    png bytea not null,
    svg text collate "C" not null
);

comment on table charts is 'Every chart of the report. One row per chart.';
comment on column charts.name is 'Name of the chart, and of its file when it is exported.';
comment on column charts.position is 'Order in the report.';
comment on column charts.title is 'Title of the chart.';
comment on column charts.png is 'The chart as a PNG file.';
comment on column charts.svg is 'The chart as an SVG file.';
