-- What one country sold is counted in another: together they have all lines.
update countries set country = 'Atlantis' where country = (select min(country) from countries)
