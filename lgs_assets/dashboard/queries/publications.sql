-- What is built, from what, and since when. One row.
select
    (
        select coalesce(json_object_agg(table_name, json_build_object(
            'version', version, 'rows', row_count, 'built', published_at, 'settings', settings
        )), '{}')
        from publications
    ) as tables,
    (
        select coalesce(json_agg(json_build_object('dump', dump, 'lines', lines, 'rejected', rejected,
            'first_invoice_at', first_invoice_at, 'last_invoice_at', last_invoice_at, 'loaded_at', loaded_at
        ) order by dump), '[]')
        from dumps
    ) as dumps
