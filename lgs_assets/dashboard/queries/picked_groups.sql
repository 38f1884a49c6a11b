-- What they ask of a group of customers besides.
(cast(:segments as text[]) is null or segment = any(cast(:segments as text[])))
and (cast(:came_from as text[]) is null or segment_before = any(cast(:came_from as text[])))
and (cast(:r_score as integer) is null or r_score = :r_score)
and (cast(:f_score as integer) is null or f_score = :f_score)
