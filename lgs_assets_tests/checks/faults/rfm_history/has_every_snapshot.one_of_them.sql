delete from rfm_history
where snapshot_date = (
    select min(snapshot_date)
    from rfm_history
    where snapshot_date > (select min(snapshot_date) from rfm_history)
)
