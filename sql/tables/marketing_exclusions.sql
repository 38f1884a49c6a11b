-- kept: facts that no dump brings back
create table marketing_exclusions (
    customer_id integer primary key,
    reason text not null check (reason in ('objected', 'forgotten')),
    since timestamp with time zone not null
);

comment on table marketing_exclusions is 'Customers who are in no audience whatever its rule: they objected, or asked to be forgotten. One row a customer.';
comment on column marketing_exclusions.customer_id is 'Customer.';
comment on column marketing_exclusions.reason is 'objected or forgotten.';
comment on column marketing_exclusions.since is 'Since when.';
