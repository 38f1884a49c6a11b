"""The lists of destinations: changes are planned, guarded and applied, leave receipts, and the lists are read back."""
