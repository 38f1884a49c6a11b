-- derived: rebuilt at will from other tables
create table product_movers (
    code text collate "C" primary key,
    first_month date not null,
    last_month date not null,
    units bigint not null check (units >= 0),
    units_before bigint not null check (units_before >= 0),
    sales numeric not null check (sales >= 0),
    sales_before numeric not null check (sales_before >= 0),
    sales_change numeric not null,
    sales_change_pct numeric,
    movement text collate "C" not null check (
        movement in ('new', 'back', 'left', 'paused', 'up', 'down', 'level')
    ),
    change_rank bigint not null unique check (change_rank > 0),
    check (sales_change = sales - sales_before),
    check ((movement in ('new', 'back')) = (units_before = 0)),
    check ((movement in ('left', 'paused')) = (units = 0)),
    check (units > 0 or units_before > 0)
);

comment on table product_movers is 'What each product sold in the last three whole months, against the same months of the year before, each doubled invoice counted once. Empty until there are such months. One row per product that sold in either.';
comment on column product_movers.code is 'Code of the product.';
comment on column product_movers.first_month is 'First of the three months.';
comment on column product_movers.last_month is 'Last of the three months.';
comment on column product_movers.units is 'Units sold in these months.';
comment on column product_movers.units_before is 'Units sold in the same months of the year before.';
comment on column product_movers.sales is 'Sales in these months in pounds sterling, as in product_months.';
comment on column product_movers.sales_before is 'Sales in the same months of the year before, in pounds sterling.';
comment on column product_movers.sales_change is 'sales − sales_before.';
comment on column product_movers.sales_change_pct is 'sales_change in percent of sales_before, to 6 places. NULL for one that sold nothing in them.';
comment on column product_movers.movement is 'new: first sold after the same months of the year before; back: sold before them, but not in them; left: not sold since the first of the three months; paused: sold again only after them; otherwise up, down or level, by sales.';
comment on column product_movers.change_rank is 'Rank by sales_change, the greatest gain first; ties in the order of the codes.';
