"""A harmonic oscillator as the open system: operator algebra, master equation, coefficients."""
