"""M. Esposito, P. Gaspard, Phys. Rev. E 68, 066112 (2003): generated functions, ledger and document."""
