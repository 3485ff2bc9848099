"""Detailed balance at sixth order: ledger and document."""
