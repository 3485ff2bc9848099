"""Heat currents through a qubit between two baths: ledger and document."""
