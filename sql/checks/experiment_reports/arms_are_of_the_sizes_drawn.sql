-- Counting customers who are still in the data, no arm is empty, or further from its share than chance puts it once in a
-- thousand draws, nor has one lost so many more than the other: otherwise something took customers out, and there is no
-- result.
-- error
select experiment, answer
from experiment_reports
where is_mismatched
