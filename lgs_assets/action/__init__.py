"""What leaves the house: audiences, the people in them, and lists for a destination. Knows no Dagster."""
