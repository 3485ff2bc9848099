"""Nuclear spins in a tumbling molecule: Solomon's equations and beyond: generated functions, ledger and document."""
