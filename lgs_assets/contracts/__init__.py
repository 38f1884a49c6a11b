"""What `sql/` declares, read without a database: tables, models and the data dictionary."""
