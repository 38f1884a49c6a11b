-- How the audiences, or one of them, changed from one state of the data to the next.
select audience, snapshot_date, entered, left_since, members
from audience_history
where cast(:audience as text) is null or audience = :audience
order by audience, snapshot_date
