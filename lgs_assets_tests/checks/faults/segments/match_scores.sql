update segments set segment = 'Champions'
