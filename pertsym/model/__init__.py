"""The model: a finite system, its baths, and how they are coupled; from a file or from values."""
