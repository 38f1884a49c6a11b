-- derived: rebuilt at will from other tables
create table driver_charts (
    name text collate "C" primary key check (name ~ '^[a-z0-9_]+$'),
    position smallint not null unique check (position > 0),
    title text collate "C" not null check (title <> ''),
    png bytea not null,
    svg text collate "C" not null
);

comment on table driver_charts is 'Charts of what changed sales, and what of it is more than chance. One row per chart.';
comment on column driver_charts.name is 'Name of the chart, and of its file when it is exported.';
comment on column driver_charts.position is 'Order within these charts.';
comment on column driver_charts.title is 'Title of the chart.';
comment on column driver_charts.png is 'The chart as a PNG file.';
comment on column driver_charts.svg is 'The chart as an SVG file.';
