"""What the engine derives, shown: LaTeX, plain text, JSON, SymPy, documents and notebooks."""
