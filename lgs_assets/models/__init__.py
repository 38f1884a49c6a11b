"""What SQL cannot say: pure functions, frames in and frames out. Knows no Dagster and no database."""
