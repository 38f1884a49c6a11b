-- Who may do what. Run once, before the first table is made, by a role that may create roles. Roles that log in are
-- made by the administrator and put into one of these:
--   create role ana login password '…' in role lgs_reader;

create schema if not exists lgs;
create schema if not exists lgs_staging;

do $$
declare
    name text;
begin
    -- Roles belong to the server, not to the database: they may be there already.
    foreach name in array array['lgs_owner', 'lgs_writer', 'lgs_reader'] loop
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
