update prediction_terms set customers = customers + 1
