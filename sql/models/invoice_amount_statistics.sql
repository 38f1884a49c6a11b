-- Quantiles by position, so that they are exact: the value at position 1 + (n − 1) × q of the sorted amounts,
-- interpolated between its two neighbours. A float quantile function would round.
with populations as (
    select 'all' as population, invoice_no, amount from invoice_amounts
    union all
    select 'positive' as population, invoice_no, amount from invoice_amounts where amount > 0
),

ranked as (
    select
        populations.*,
        row_number() over (partition by population order by amount, invoice_no) as place,
        1 + (count(*) over (partition by population) - 1) * cast(:chart_cutoff as decimal(10, 9)) as cut_place
    from populations
),

cutoffs as (
    select
        population,
        max(case when place <= cut_place then amount end)
        + (max(cut_place) - floor(max(cut_place)))
        * (
            max(case when place <= ceil(cut_place) then amount end)
            - max(case when place <= cut_place then amount end)
        ) as cutoff_amount
    from ranked
    group by population
),

groups as (
    select populations.population, false as is_cut, populations.invoice_no, populations.amount
    from populations
    union all
    select populations.population, true as is_cut, populations.invoice_no, populations.amount
    from populations
    inner join cutoffs on populations.population = cutoffs.population
    where populations.amount <= cutoffs.cutoff_amount
),

placed as (
    select
        groups.*,
        row_number() over (partition by population, is_cut order by amount, invoice_no) as place,
        count(*) over (partition by population, is_cut) as invoices,
        1 + (count(*) over (partition by population, is_cut) - 1) * cast(:chart_cutoff as decimal(10, 9)) as cut_place
    from groups
),

pence as (
    select
        population,
        is_cut,
        round(amount, 2) as mode,
        row_number() over (partition by population, is_cut order by count(*) desc, round(amount, 2)) as place
    from groups
    group by population, is_cut, round(amount, 2)
)

select
    placed.population,
    placed.is_cut,
    count(*) as invoices,
    min(placed.amount) as minimum,
    max(placed.amount) as maximum,
    round(avg(placed.amount), 6) as mean,
    avg(case when 2 * placed.place between placed.invoices and placed.invoices + 2 then placed.amount end) as median,
    max(pence.mode) as mode,
    cast(:chart_cutoff as decimal(10, 9)) as cutoff_quantile,
    max(case when placed.place <= placed.cut_place then placed.amount end)
    + (max(placed.cut_place) - floor(max(placed.cut_place)))
    * (
        max(case when placed.place <= ceil(placed.cut_place) then placed.amount end)
        - max(case when placed.place <= placed.cut_place then placed.amount end)
    ) as cutoff_amount
from placed
inner join pence
    on placed.population = pence.population
    and placed.is_cut = pence.is_cut
    and pence.place = 1
group by placed.population, placed.is_cut
