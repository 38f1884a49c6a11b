-- All but the last are lost: what is left hangs together.
delete from rfm_history
where snapshot_date < (select max(snapshot_date) from rfm_history)
