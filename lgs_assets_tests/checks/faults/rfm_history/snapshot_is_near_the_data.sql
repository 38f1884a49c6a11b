update rfm_history set snapshot_date = '2102-01-01'
where snapshot_date = (select max(snapshot_date) from rfm_history)
