-- Before the cut, the invoices, the least and the greatest amount of each population are those of invoice_amounts.
-- error
with wanted as (
    select 'all' as population, count(*) as invoices, min(amount) as minimum, max(amount) as maximum
    from invoice_amounts
    having count(*) > 0
    union all
    select 'positive', count(*), min(amount), max(amount)
    from invoice_amounts
    where amount > 0
    having count(*) > 0
)

select
    coalesce(wanted.population, found.population) as population,
    found.invoices,
    wanted.invoices as invoices_of_amounts,
    found.minimum,
    wanted.minimum as minimum_of_amounts,
    found.maximum,
    wanted.maximum as maximum_of_amounts
from wanted
full join (select * from invoice_amount_statistics where not is_cut) as found on wanted.population = found.population
where
    wanted.invoices is distinct from found.invoices
    or wanted.minimum is distinct from found.minimum
    or wanted.maximum is distinct from found.maximum
