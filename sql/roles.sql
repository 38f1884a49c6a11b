-- Who may do what, and how much of it. Run before the first table is created, by a role that may create roles; running
-- it again does no harm. Roles that log in are created by the administrator and put into one of these:
--   create role ana login password '…' connection limit 10 in role lgs_reader;

create schema if not exists lgs;
create schema if not exists lgs_staging;
create schema if not exists lgs_private;

do $$
declare
    name text;
begin
    -- Roles belong to the server, not to the database: they may already exist.
    foreach name in array array['lgs_owner', 'lgs_writer', 'lgs_reader', 'lgs_dashboard', 'lgs_activator'] loop
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

-- Analysts and dashboards: every table of the warehouse, read-only. New tables are created in the staging schema.
grant usage on schema lgs to lgs_reader;
alter default privileges for role lgs_owner in schema lgs, lgs_staging grant select on tables to lgs_reader;

-- The dashboard's pages: what they show, which is what is built, and from which dumps; grants.sql has what they may read
-- of the kept tables. The lines as they came, and those that were rejected, are not for it.
grant usage on schema lgs to lgs_dashboard;
alter default privileges for role lgs_owner in schema lgs_staging grant select on tables to lgs_dashboard;
do $$
declare
    name text;
begin
    if to_regclass('lgs.publications') is null then
        return; -- the warehouse is being made, and grants its ledgers itself
    end if;
    for name in
        select relname
        from pg_class
        where relnamespace = 'lgs'::regnamespace and relkind = 'r'
            and (relname in ('publications', 'dumps', 'check_results') or relname in (select table_name from lgs.publications))
    loop
        execute format('grant select on lgs.%I to lgs_dashboard', name);
    end loop;
end
$$;

-- Imports contacts and sends lists: the only role that sees who the customers are. Neither the owner of the tables nor
-- the pipeline nor a reader is in it.
grant lgs_reader to lgs_activator;
grant lgs_activator to current_user;
alter schema lgs_private owner to lgs_activator;

-- The limits. PostgreSQL has none that members inherit from a group: unless it sets its own, a session takes those of
-- its database. The platform takes its own from lgs_owner, as which it runs.
do $$
declare
    this constant text := current_database();
    is_superuser constant boolean := (select rolsuper from pg_roles where rolname = current_user);
    setting text;
    -- What an administrator has set stays.
    own constant text[] := array(
        select split_part(one, '=', 1)
        from pg_db_role_setting
        cross join unnest(setconfig) as one
        where setrole = 0 and setdatabase = (select oid from pg_database where datname = this)
    );
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
            if setting <> all (own) then
                execute format('alter database %I set %I = %L', this, setting, '5min');
            end if;
        end if;
    end loop;

    -- Each sort and each hash of a query may take this much, and there are many readers.
    if 'work_mem' <> all (own) and pg_size_bytes(current_setting('work_mem')) > pg_size_bytes('32MB') then
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

    -- What a query sorts and hashes on disk.
    if not has_parameter_privilege('lgs_owner', 'temp_file_limit', 'set') then
        grant set on parameter temp_file_limit to lgs_owner;
    end if;
    execute format('alter role lgs_owner in database %I set temp_file_limit = -1', this);
    execute format('alter role %I in database %I set temp_file_limit = -1', current_user, this); -- restores backups
    if 'temp_file_limit' <> all (own) then
        execute format('alter database %I set temp_file_limit = %L', this, '5GB');
    end if;

    -- Addresses are parameters of queries, which a server that logs slow ones would log in full: see `as_activator`.
    foreach setting in array array[
        'log_parameter_max_length', 'log_parameter_max_length_on_error', 'auto_explain.log_min_duration'
    ] loop
        execute format('grant set on parameter %I to lgs_activator', setting);
    end loop;

    -- Large objects belong to no table, and nobody would miss them.
    revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;

    -- Readers cannot take the last connections (reserved_connections), and the session that holds a table can be named.
    foreach setting in array array['pg_use_reserved_connections', 'pg_read_all_stats'] loop
        if not pg_has_role('lgs_owner', setting, 'member') then
            execute format('grant %I to lgs_owner', setting);
        end if;
    end loop;
end
$$;
