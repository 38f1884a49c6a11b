-- What each check found when it last ran, and whether its table was built since.
select
    table_name, check_name, degree, violating_rows, accepted_rows, checked_at,
    checked_at < published_at as is_older
from check_results
left join publications using (table_name)
