update segment_migrations set customers = customers + 1 where step = 1 and cause = 'stayed'
