with held as (
    insert into destination_members values ('hubspot', 'some', 999, '', 1, now())
)

insert into list_drift
values ('hubspot', 'some', '2026-01-01', 1, 2, 0, 1, 0, 0, 0), ('hubspot', 'some', '2026-01-02', 1, 2, 0, 1, 0, 0, 1)
