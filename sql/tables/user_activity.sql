-- derived: rebuilt at will from other tables
create table user_activity (
    invoice_month date primary key check (extract(day from invoice_month) = 1),
    active_users bigint not null check (active_users > 0),
    new_users bigint not null check (new_users between 0 and active_users),
    existing_users bigint not null,
    check (existing_users = active_users - new_users)
);

comment on table user_activity is 'Customers active in each month, over all lines with a customer. One row per month.';
comment on column user_activity.invoice_month is 'First day of the month.';
comment on column user_activity.active_users is 'Distinct customers with a line in the month.';
comment on column user_activity.new_users is 'Customers whose first line ever is in the month.';
comment on column user_activity.existing_users is 'active_users − new_users.';
