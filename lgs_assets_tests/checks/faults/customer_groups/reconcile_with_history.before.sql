update customer_groups set monetary_once_before = monetary_once_before / 2 where monetary_once_before > 0
