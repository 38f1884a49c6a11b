-- The place that a plan was made for, and in which form addresses leave.
alter table lgs.activation_plans add column place text;
alter table lgs.activation_plans add column hashes_emails boolean not null default false;

comment on column lgs.activation_plans.place is 'HMAC-SHA256, under LGS_CONTACT_KEY, of where it may go: the account, list, URL or folder. NULL if to any.';
comment on column lgs.activation_plans.hashes_emails is 'Whether addresses leave as hashes.';
