"""The steady state of the time-convolutionless generator and the mean-force Gibbs state: generated functions, ledger and document."""
