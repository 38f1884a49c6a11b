-- Each of the 25 cells of the R × F grid belongs to exactly one segment.
-- blocking
select r, f, count(segment) as segments, string_agg(segment, ', ') as names
from generate_series(1, 5) as r
cross join generate_series(1, 5) as f
left join segment_playbook on r between r_min and r_max and f between f_min and f_max
group by r, f
having count(segment) <> 1
