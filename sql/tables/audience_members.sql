-- derived: rebuilt at will from other tables
create table audience_members (
    audience text collate "C" not null,
    customer_id integer not null,
    version text collate "C" not null,
    fields jsonb not null,
    primary key (audience, customer_id)
);

comment on table audience_members is 'Who is in each audience now, without those who objected or are forgotten. One row an audience and customer.';
comment on column audience_members.audience is 'Audience.';
comment on column audience_members.customer_id is 'Customer.';
comment on column audience_members.version is 'Version of the audience that the customer is a member by.';
comment on column audience_members.fields is 'What a destination may know of the member, by the name that it has there. Amounts are text, exact.';
