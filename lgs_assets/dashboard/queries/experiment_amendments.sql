-- What came to be otherwise than experiments, or one of them, declare.
select experiment, what, because, amended_by, amended_at
from experiment_amendments
where cast(:experiment as text) is null or experiment = :experiment
order by experiment, amendment
