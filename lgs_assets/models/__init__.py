"""What SQL cannot express: pure functions, frames in and frames out. Knows no Dagster and no database."""
