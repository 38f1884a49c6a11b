insert into charts values ('x', 99, 'X', 'no picture', '<svg></svg>')
