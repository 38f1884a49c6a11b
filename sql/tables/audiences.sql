-- derived: rebuilt at will from other tables
create table audiences (
    audience text collate "C" primary key check (audience ~ '^[a-z][a-z0-9_]{0,39}$'),
    description text collate "C" not null check (description <> ''),
    rule text collate "C" not null,
    words text collate "C" not null,
    condition text collate "C" not null,
    fields jsonb not null,
    version text collate "C" not null check (version ~ '^[0-9a-f]{64}$'),
    at_least bigint not null check (at_least >= 0),
    at_most bigint check (at_most >= at_least),
    unmatched text collate "C"
);

comment on table audiences is 'The audiences of the folder audiences, as their files state them. One row an audience.';
comment on column audiences.audience is 'Name: that of the file.';
comment on column audiences.description is 'Whom it is for, and what is done with them.';
comment on column audiences.rule is 'The rule as it is written.';
comment on column audiences.words is 'The rule in words.';
comment on column audiences.condition is 'The rule as it is run: in its one spelling.';
comment on column audiences.fields is 'What a destination may know of a member: the name there, and the column of audience_facts.';
comment on column audiences.version is 'SHA-256 of condition and fields.';
comment on column audiences.at_least is 'With fewer members something is wrong.';
comment on column audiences.at_most is 'With more members something is wrong. NULL if there is no limit.';
comment on column audiences.unmatched is 'Texts in the rule that no customer has, each with what comes near it. NULL if there are none.';
