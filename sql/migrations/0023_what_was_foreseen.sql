-- What the start of an experiment foresaw, and how invoices were counted then: the report holds the result to both.
alter table lgs.experiments
    add column power double precision check (power >= 0 and power <= 1),
    add column doubled_invoices text;

comment on column lgs.experiments.power is 'How likely the declared change was to show, as foreseen at the start, in 0..1. NULL if the data could not tell, or before this was recorded.';
comment on column lgs.experiments.doubled_invoices is 'The setting doubled_invoices of the data at the start. NULL before this was recorded.';
