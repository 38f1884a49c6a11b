update countries set returned = returned + 0.01
