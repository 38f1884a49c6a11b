update customer_gain_loss set customers = customers + 1 where movement <> 'guests'
