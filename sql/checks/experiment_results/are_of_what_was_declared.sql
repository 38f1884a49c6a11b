-- The declaration of every experiment is the text whose SHA-256 was kept at its start, and its version is no other.
-- error
select experiment, version, encode(sha256(convert_to(declaration, 'UTF8')), 'hex') as found
from experiments
where version <> encode(sha256(convert_to(declaration, 'UTF8')), 'hex')
