update segment_migrations set sales_between_once = sales_between_once - 0.01 where sales_between_once > 0
