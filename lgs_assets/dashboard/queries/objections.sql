-- What tells who must not be contacted now from who must not at any other time. One row.
select coalesce(md5(string_agg(concat(customer_id, ' ', reason), ',' order by customer_id)), '') as objections
from do_not_contact
