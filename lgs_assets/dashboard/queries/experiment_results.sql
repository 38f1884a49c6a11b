-- What the experiments, or one of them, found of what is due; the primary metric first.
select
    experiment, metric, segment, country, role, control_customers, treated_customers, control_mean, treated_mean, difference, low,
    high, p_value, corrected_p, level, capped_control_mean, capped_treated_mean, capped_difference, capped_low, capped_high
from experiment_results
where cast(:experiment as text) is null or experiment = :experiment
order by experiment, segment <> 'all', role <> 'primary', metric, segment, country <> 'all', country
