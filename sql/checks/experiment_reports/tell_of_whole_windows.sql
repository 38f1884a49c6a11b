-- The data has no hole before the day on which the result of any experiment would be due: days without an invoice, of which
-- the shop never before had so many in a row. A dump may be missing, for which the result waits thirty days.
-- warning
select experiment, missing_from, missing_to, due
from experiment_reports
where missing_from is not null
