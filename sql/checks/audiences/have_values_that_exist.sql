-- Every text that a rule compares with is one that some customer, or the playbook, has: a misspelt name matches nobody.
-- warning
select audience, unmatched from audiences where unmatched is not null
