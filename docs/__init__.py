"""The pages of the platform, and what makes those of them that are made."""
