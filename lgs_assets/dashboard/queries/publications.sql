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
    ) as dumps,
    (
        select json_build_object(
            'all', count(*), 'at', max(checked_at),
            'failed', coalesce(json_agg(json_build_object(
                'table', table_name, 'check', check_name, 'degree', degree, 'rows', violating_rows
            ) order by table_name, check_name) filter (where violating_rows > accepted_rows), '[]')
        )
        from check_results
    ) as checks
