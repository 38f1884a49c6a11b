-- kept: facts that no dump can restore
create table unit_costs (
    code text not null check (char_length(code) between 1 and 100),
    valid_from date not null check (valid_from >= '1990-01-01' and isfinite(valid_from)),
    unit_cost numeric not null check (unit_cost between 0 and 99999999.999999),
    imported_at timestamp with time zone not null,
    primary key (code, valid_from)
);

comment on table unit_costs is 'What a unit of a product costs the shop, as imported by lgs costs import. A cost holds until the next one of the same product. One row per product and date.';
comment on column unit_costs.code is 'Code of the product, trimmed and in capitals.';
comment on column unit_costs.valid_from is 'The first day on which the cost holds.';
comment on column unit_costs.unit_cost is 'Cost of one unit in pounds sterling, exact.';
comment on column unit_costs.imported_at is 'When the cost was imported.';
