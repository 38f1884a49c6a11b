insert into list_drift
values ('hubspot', 'some', '2026-01-01', 1, 2, 0, 1, 0, 0, 0), ('hubspot', 'some', '2026-01-02', 1, 2, 0, 1, 0, 0, 1)
