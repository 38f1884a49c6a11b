insert into rejected_lines (dump, line_number, column_name, reason, line) values ('retail.sql', 2, null, 'why', 'x')
