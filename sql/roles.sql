-- Who may do what, and how much of it. Run before the first table is made, by a role that may create roles; running it
-- again does no harm. Roles that log in are made by the administrator and put into one of these:
--   create role ana login password '…' connection limit 10 in role lgs_reader;

create schema if not exists lgs;
create schema if not exists lgs_staging;
create schema if not exists lgs_private;

do $$
declare
    name text;
begin
    -- Roles belong to the server, not to the database: they may be there already.
    foreach name in array array['lgs_owner', 'lgs_writer', 'lgs_reader', 'lgs_activator'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin', name);
        end if;
    end loop;
end
$$;

-- Owns the schemas and every table in them.
grant lgs_owner to current_user;
alter schema lgs owner to lgs_owner;
alter schema lgs_staging owner to lgs_owner;

-- Runs the pipeline. It replaces tables, which only their owner may.
grant lgs_owner to lgs_writer;

-- Analysts and dashboards: every table of the warehouse, to read. New tables are made in the staging schema.
grant usage on schema lgs to lgs_reader;
alter default privileges for role lgs_owner in schema lgs, lgs_staging grant select on tables to lgs_reader;

-- Imports contacts and sends lists: the only role that sees who the customers are. Neither the owner of the tables nor
-- the pipeline nor a reader is in it.
grant lgs_reader to lgs_activator;
grant lgs_activator to current_user;
alter schema lgs_private owner to lgs_activator;

-- The limits. PostgreSQL has none that a group hands on to its members: what a session does not say otherwise it takes
-- from its database. The platform takes its own from lgs_owner, as which it works.
do $$
declare
    this constant text := current_database();
    is_superuser constant boolean := (select rolsuper from pg_roles where rolname = current_user);
    setting text;
begin
    if not (select pg_has_role(current_user, datdba, 'usage') from pg_database where datname = this) then
        raise notice 'Only the owner of the database % may limit its readers.', this using errcode = 'LGS01';
        return;
    end if;

    -- A table is replaced when its readers let go of it, for which the pipeline waits ten minutes: no query and no
    -- transaction left open may take as long.
    foreach setting in array array[
        'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'
    ] loop
        if current_setting(setting, true) is not null then -- transaction_timeout is there from PostgreSQL 17 on
            execute format('alter role lgs_owner in database %I set %I = 0', this, setting);
            execute format('alter database %I set %I = %L', this, setting, '5min');
        end if;
    end loop;

    -- Each sort and each hash of a query may take so much, and there are many readers.
    if pg_size_bytes(current_setting('work_mem')) > pg_size_bytes('32MB') then
        execute format('alter role lgs_owner in database %I set work_mem = %L', this, current_setting('work_mem'));
        execute format('alter database %I set work_mem = %L', this, '32MB');
    end if;

    -- Temporary tables fill the disk without a limit.
    execute format('revoke temporary on database %I from public', this);
    execute format('grant temporary on database %I to lgs_owner', this);

    if not is_superuser then
        raise notice 'Only a superuser may limit temporary files, refuse large objects and reserve connections.'
            using errcode = 'LGS01';
        return;
    end if;

    -- What a query sorts and hashes on the disk.
    if not has_parameter_privilege('lgs_owner', 'temp_file_limit', 'set') then
        grant set on parameter temp_file_limit to lgs_owner;
    end if;
    execute format('alter role lgs_owner in database %I set temp_file_limit = -1', this);
    execute format('alter role %I in database %I set temp_file_limit = -1', current_user, this); -- restores backups
    execute format('alter database %I set temp_file_limit = %L', this, '5GB');

    -- Large objects belong to nobody's tables, and are never missed.
    revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;

    -- Readers cannot take the last connections (reserved_connections), and who holds a table can be told.
    foreach setting in array array['pg_use_reserved_connections', 'pg_read_all_stats'] loop
        if not pg_has_role('lgs_owner', setting, 'member') then
            execute format('grant %I to lgs_owner', setting);
        end if;
    end loop;
end
$$;
