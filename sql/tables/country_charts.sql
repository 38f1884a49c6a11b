-- derived: rebuilt at will from other tables
create table country_charts (
    name text collate "C" primary key check (name ~ '^[a-z0-9_]+$'),
    position smallint not null unique check (position > 0),
    title text collate "C" not null check (title <> ''),
    png bytea not null,
    svg text collate "C" not null
);

comment on table country_charts is 'Charts of the countries that buy. One row per chart.';
comment on column country_charts.name is 'Name of the chart, and of its file when it is exported.';
comment on column country_charts.position is 'Order within these charts.';
comment on column country_charts.title is 'Title of the chart.';
comment on column country_charts.png is 'The chart as a PNG file.';
comment on column country_charts.svg is 'The chart as an SVG file.';
