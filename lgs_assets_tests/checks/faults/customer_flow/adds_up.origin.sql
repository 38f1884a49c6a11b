-- New and reactivated customers are mistaken for each other: they still add up.
update customer_flow
set
    (new_customers, new_sales, new_sales_once) = (reactivated_customers, reactivated_sales, reactivated_sales_once),
    (reactivated_customers, reactivated_sales, reactivated_sales_once) = (new_customers, new_sales, new_sales_once)
