update customer_groups set segment_before = segment_before || '?' where segment_before <> segment and monetary_before > 0
