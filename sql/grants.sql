-- What the dashboard's pages may read of the tables that are kept, to the column: no salt, no payload. Who objected
-- is marked in each list, lest somebody calls them. Run by the owner of the tables; running it again does no harm.
grant select on lgs.publications, lgs.dumps, lgs.check_results to lgs_dashboard;

grant select (
    plan, destination, audience, audience_version, adds, updates, removes, left_out, held_before, state, refusal,
    made_by, made_at, ended_at, allowed, applied_by, applied_at
) on lgs.activation_plans to lgs_dashboard;
grant select (plan, customer_id, operation, state, answered_at) on lgs.activation_changes to lgs_dashboard;
grant select (receipt, plan, batch, attempt, row_count, sent_at, answered_at, status, outcome)
on lgs.activation_receipts to lgs_dashboard;
grant select (destination, audience, customer_id, confirmed_at) on lgs.destination_members to lgs_dashboard;
grant select (destination, audience, customer_id, left_at, confirmed_at, emptied_at) on lgs.left_behind to lgs_dashboard;
grant select on lgs.list_drift to lgs_dashboard;
grant select (customer_id, reason) on lgs.marketing_exclusions to lgs_dashboard;

grant select (
    experiment, declaration, audience, metric, days, share, started_by, started_at, stopped_at, stopped_because, enrol,
    doubled_invoices
) on lgs.experiments to lgs_dashboard;
grant select (experiment, customer_id, wave, arm, counts_from, assigned_at) on lgs.assignments to lgs_dashboard;
grant select on lgs.held_out, lgs.experiment_amendments to lgs_dashboard;
