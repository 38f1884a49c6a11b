update rfm_history set monetary = monetary + 0.01 where snapshot_date = (select min(snapshot_date) from rfm_history)
