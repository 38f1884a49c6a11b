-- For each dump, the ledger counts exactly the lines that raw_invoices holds.
-- blocking
select
    coalesce(dumps.dump, held.dump) as dump,
    dumps.lines as lines_in_ledger,
    held.lines as lines_held
from dumps
full join (select dump, count(*) as lines from raw_invoices group by dump) as held on dumps.dump = held.dump
where dumps.lines is distinct from held.lines
