-- What the filters ask of a cohort of a country.
(cast(:countries as text[]) is null or country = any(cast(:countries as text[])))
and (cast(:cohorts as date[]) is null or cohort_quarter = any(cast(:cohorts as date[])))
