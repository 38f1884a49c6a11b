"""The families of charts, one module each, named after the table that holds its charts."""
