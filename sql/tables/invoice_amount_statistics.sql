-- derived: rebuilt at will from other tables
create table invoice_amount_statistics (
    population text collate "C" not null check (population in ('all', 'positive')),
    is_cut boolean not null,
    invoices bigint not null check (invoices > 0),
    minimum numeric not null,
    maximum numeric not null,
    mean numeric not null,
    median numeric not null,
    mode numeric not null,
    cutoff_quantile numeric not null check (cutoff_quantile > 0 and cutoff_quantile < 1),
    cutoff_amount numeric not null,
    primary key (population, is_cut),
    check (minimum <= median and median <= maximum and mean between minimum and maximum)
);

comment on table invoice_amount_statistics is 'The distribution of invoice_amounts.amount. One row each for all invoices and, if there are any, for those with a positive amount; both in full and cut at their own cutoff_amount.';
comment on column invoice_amount_statistics.population is 'all: every invoice. positive: those with an amount above 0.';
comment on column invoice_amount_statistics.is_cut is 'Only amounts up to the cutoff_amount of the whole population.';
comment on column invoice_amount_statistics.invoices is 'Invoices counted.';
comment on column invoice_amount_statistics.minimum is 'Smallest amount in pounds sterling.';
comment on column invoice_amount_statistics.maximum is 'Largest amount in pounds sterling.';
comment on column invoice_amount_statistics.mean is 'Mean amount in pounds sterling, to 6 places.';
comment on column invoice_amount_statistics.median is 'Median amount in pounds sterling, exact.';
comment on column invoice_amount_statistics.mode is 'Most frequent amount after rounding to pence; the smallest if there are several.';
comment on column invoice_amount_statistics.cutoff_quantile is 'The setting chart_cutoff: 0.85 unless changed.';
comment on column invoice_amount_statistics.cutoff_amount is 'The amount at that quantile of these invoices (linear interpolation), exact.';
