insert into audience_members select audience, 999, version, '{}' from audiences limit 1
