-- derived: rebuilt at will from other tables
create table foresight_charts (
    name text collate "C" primary key check (name ~ '^[a-z0-9_]+$'),
    position smallint not null unique check (position > 0),
    title text collate "C" not null check (title <> ''),
    png bytea not null,
    svg text collate "C" not null
);

comment on table foresight_charts is 'Charts of what will happen, and how wrong such predictions have been. One row a chart.';
comment on column foresight_charts.name is 'Name of the chart, and of its file when it is exported.';
comment on column foresight_charts.position is 'Order within these charts.';
comment on column foresight_charts.title is 'Title of the chart.';
comment on column foresight_charts.png is 'The chart as a PNG file.';
comment on column foresight_charts.svg is 'The chart as an SVG file.';
