insert into charts values ('x', 1, 'X', 'no picture', '<svg></svg>')
