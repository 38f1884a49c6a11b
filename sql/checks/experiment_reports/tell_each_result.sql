-- Every result is told in a report, and none is there before the data covers the last window of all, counted from the
-- assignments; of pounds, thirty days more.
-- error
select results.experiment, results.metric, windows.ends, data.covered_until
from (select distinct experiment, metric from experiment_results) as results
left join experiment_reports as reports on results.experiment = reports.experiment
left join (
    select assignments.experiment, max(assignments.counts_from + experiments.days * interval '1 day') as ends
    from assignments
    inner join experiments on assignments.experiment = experiments.experiment
    group by assignments.experiment
) as windows on results.experiment = windows.experiment
cross join (select date_trunc('day', max(last_invoice_at)) as covered_until from invoice_totals) as data
where
    reports.experiment is null
    or data.covered_until < windows.ends
    + case when results.metric in ('net_revenue', 'revenue_per_order') then interval '30 days' else interval '0 days' end
