"""B. B. Laird, J. Budimir, J. L. Skinner, J. Chem. Phys. 94, 4391 (1991): generated functions, ledger and document."""
