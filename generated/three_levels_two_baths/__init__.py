"""Three levels between two baths at fourth order: generated functions, ledger and document."""
