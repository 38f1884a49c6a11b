-- The people behind customers: contacts, consent and suppressions. Run as lgs_activator, whom alone these tables are for,
-- until the last of them is there. A later change of one is a step of sql/migrations that asks first whether it is.

create table if not exists lgs_private.contact_key (
    only_row boolean primary key default true check (only_row),
    check_value bytea not null,
    since timestamp with time zone not null
);

comment on table lgs_private.contact_key is 'What tells the key of the pseudonyms, LGS_CONTACT_KEY, from any other, without telling the key.';

create table if not exists lgs_private.contacts (
    customer_id integer primary key,
    email text not null,
    email_key bytea not null unique,
    lawful_basis text not null check (lawful_basis in ('consent', 'soft_opt_in', 'corporate_legitimate_interest')),
    basis_at date not null,
    source text not null,
    subscriber_kind text not null check (subscriber_kind in ('individual', 'corporate')),
    marketing_ok boolean not null,
    imported_at timestamp with time zone not null,
    -- PECR regulation 22 binds mails to individuals: for them, legitimate interest is not enough.
    check (lawful_basis <> 'corporate_legitimate_interest' or subscriber_kind = 'corporate')
);

comment on table lgs_private.contacts is 'Where a customer can be reached, and on what basis. One row a customer.';
comment on column lgs_private.contacts.email_key is 'Pseudonym of the address: HMAC-SHA256 of it under LGS_CONTACT_KEY.';
comment on column lgs_private.contacts.basis_at is 'When consent was given, or the opt-out was offered.';
comment on column lgs_private.contacts.source is 'Where the contact comes from.';
comment on column lgs_private.contacts.subscriber_kind is 'individual or corporate; one that is not known counts as individual.';
comment on column lgs_private.contacts.marketing_ok is 'Whether the person lets us write to them.';

create table if not exists lgs_private.suppressions (
    email_key bytea primary key,
    reason text not null check (reason in ('objected', 'forgotten')),
    since timestamp with time zone not null,
    source text not null
);

comment on table lgs_private.suppressions is 'Addresses that nothing is ever sent to, by their pseudonyms: they outlive the contact.';

create table if not exists lgs_private.imports (
    import bigint generated always as identity primary key,
    file text not null,
    sha256 text not null,
    contacts bigint not null,
    rejected bigint not null,
    imported_at timestamp with time zone not null
);

comment on table lgs_private.imports is 'The files of contacts that were imported.';

create table if not exists lgs_private.rejects (
    import bigint not null references lgs_private.imports,
    line bigint not null,
    column_name text,
    found text not null,
    expected text not null,
    primary key (import, line)
);

comment on table lgs_private.rejects is 'The lines of these files that are no contacts, and why; never the line itself.';

create table if not exists lgs_private.former_keys (
    customer_id integer not null,
    email_key bytea not null,
    primary key (customer_id, email_key)
);

comment on table lgs_private.former_keys is 'Pseudonyms of the addresses that customers had before. Whoever objects, or is forgotten, is so at all of them.';
