-- derived: rebuilt at will from other tables
create table model_cards (
    task text collate "C" primary key,
    position bigint not null unique,
    title text collate "C" not null,
    model text collate "C",
    purpose text collate "C" not null,
    data text collate "C" not null,
    rule text collate "C" not null,
    measured_error text collate "C" not null,
    limits text collate "C" not null,
    unavailable_because text collate "C",
    check (model is not null or unavailable_because is not null)
);

comment on table model_cards is 'What each model is for, what it is made from, how wrong it has been and where it must not be used. One row a model.';
comment on column model_cards.task is 'The table that it makes.';
comment on column model_cards.position is 'Place among the cards, from 1.';
comment on column model_cards.title is 'What it is called.';
comment on column model_cards.model is 'What predicts at present. NULL if nothing does.';
comment on column model_cards.purpose is 'What it is for, and what not.';
comment on column model_cards.data is 'What it is fitted to.';
comment on column model_cards.rule is 'How it predicts, with the source.';
comment on column model_cards.measured_error is 'How wrong it has been, beside its baseline.';
comment on column model_cards.limits is 'Where it fails.';
comment on column model_cards.unavailable_because is 'Why nothing is predicted. NULL if something is.';
