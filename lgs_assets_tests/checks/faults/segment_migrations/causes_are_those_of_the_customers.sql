-- They are as many as before, from and to each segment.
update segment_migrations set cause = 'boundary offset the change'
where cause = 'stayed' and snapshot_to = (select max(snapshot_to) from segment_migrations)
