update country_months set customers = customers + 1
