-- Quantiles by position, so that they are exact: the value at position 1 + (n − 1) × q of the sorted amounts,
-- interpolated between its two neighbours. A float quantile function would round.
with ranked as (
    select
        amount,
        row_number() over (order by amount, invoice_no) as place,
        count(case when amount <= 0 then 1 end) over () as not_positive
    from invoice_amounts
),

-- The positive amounts are the last of all, and what a cut leaves is the first: one sort does for every group.
populations as (
    select 'all' as population, amount, place from ranked
    union all
    select 'positive' as population, amount, place - not_positive as place from ranked where amount > 0
),

cuts as (
    select population, 1 + (count(*) - 1) * cast(:chart_cutoff as decimal(10, 9)) as cut_place
    from populations
    group by population
),

cutoffs as (
    select
        populations.population,
        max(case when place <= cut_place then amount end)
        + (max(cut_place) - floor(max(cut_place)))
        * (
            max(case when place <= ceil(cut_place) then amount end)
            - max(case when place <= cut_place then amount end)
        ) as cutoff_amount
    from populations
    inner join cuts on populations.population = cuts.population
    group by populations.population
),

placed as (
    select population, false as is_cut, amount, place
    from populations
    union all
    select populations.population, true as is_cut, amount, place
    from populations
    inner join cutoffs on populations.population = cutoffs.population
    where amount <= cutoff_amount
),

sizes as (
    select
        population,
        is_cut,
        count(*) as invoices,
        1 + (count(*) - 1) * cast(:chart_cutoff as decimal(10, 9)) as cut_place
    from placed
    group by population, is_cut
),

pence as (
    select population, is_cut, round(amount, 2) as amount, count(*) as times
    from placed
    group by population, is_cut, round(amount, 2)
),

modes as (
    select pence.population, pence.is_cut, min(pence.amount) as mode
    from pence
    inner join (
        select population, is_cut, max(times) as times from pence group by population, is_cut
    ) as most on pence.population = most.population and pence.is_cut = most.is_cut and pence.times = most.times
    group by pence.population, pence.is_cut
)

select
    placed.population,
    placed.is_cut,
    max(sizes.invoices) as invoices,
    min(placed.amount) as minimum,
    max(placed.amount) as maximum,
    round(avg(placed.amount), 6) as mean,
    avg(case when 2 * placed.place between sizes.invoices and sizes.invoices + 2 then placed.amount end) as median,
    max(modes.mode) as mode,
    cast(:chart_cutoff as decimal(10, 9)) as cutoff_quantile,
    max(case when placed.place <= sizes.cut_place then placed.amount end)
    + (max(sizes.cut_place) - floor(max(sizes.cut_place)))
    * (
        max(case when placed.place <= ceil(sizes.cut_place) then placed.amount end)
        - max(case when placed.place <= sizes.cut_place then placed.amount end)
    ) as cutoff_amount
from placed
inner join sizes on placed.population = sizes.population and placed.is_cut = sizes.is_cut
inner join modes on placed.population = modes.population and placed.is_cut = modes.is_cut
group by placed.population, placed.is_cut
