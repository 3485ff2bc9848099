"""M. Schlosshauer, A. P. Hines, G. J. Milburn, Phys. Rev. A 77, 022111 (2008): generated functions, ledger and document."""
