-- Every result is told in a report, and no report tells one before it is due.
-- error
select results.experiment, reports.due, reports.covered_until
from (select distinct experiment from experiment_results) as results
left join experiment_reports as reports on results.experiment = reports.experiment
where reports.experiment is null or reports.due > reports.covered_until
