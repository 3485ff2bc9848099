"""The formula language: formulas that people write, as what the engine derives."""
