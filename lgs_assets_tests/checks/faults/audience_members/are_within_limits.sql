update audiences set at_least = 1000, at_most = 2000 where audience = 'call_list'
