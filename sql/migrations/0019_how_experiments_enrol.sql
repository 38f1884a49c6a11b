-- How an experiment enrols, beside its declaration: who waits for a draw is asked of many customers at once.
alter table lgs.experiments
    add column enrol text not null default 'once' check (enrol in ('once', 'waves'));

-- A declaration that was accepted has the key once, before its first table; unset, it is once.
update lgs.experiments set enrol = 'waves' where declaration ~ '(^|\n)\s*["'']?enrol["'']?\s*=\s*["'']+waves';

alter table lgs.experiments alter column enrol drop default;

comment on column lgs.experiments.enrol is 'Whether members are drawn once, at the start, or in waves, as they enter the audience.';
