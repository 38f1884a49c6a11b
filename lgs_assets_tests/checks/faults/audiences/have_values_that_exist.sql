update audiences set unmatched = 'no customer has segment ''Cant Lose''' where audience = 'call_list'
