# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # An oscillator in a bath of spins
#
# Schlosshauer, Hines and Milburn (Phys. Rev. A **77**, 022111, 2008) treated the fourth pair of the
# canonical models of decoherence: a harmonic oscillator coupled to two-level systems. The engine
# derives the master equation from the Hamiltonian with the algebra of $X$ and $P$.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from pertsym.baths.densities import DrudeLorentz, SpinSurrogate
from pertsym.environments.spins import IndependentSpins, Spin
from pertsym.generators.contracted import Contracted
from pertsym.library import find
from pertsym.model.oscillator import OscillatorModel, PositionCoupling
from pertsym.model.units import UNITS
from pertsym.model.values import Bath
from pertsym.oscillator.coefficients import coefficients
from pertsym.oscillator.fock import DampedLevels, occupation

paper = find("schlosshauer_hines_milburn_2008")
derivation = paper.derivation(4)

# %% [markdown]
# ## 1. The master equation
# $X(\tau)$ solves Heisenberg's equations; a second-order cumulant and normal ordering do the rest.

# %%
for key in ("heisenberg", "second-order", "operator-equation", "coefficients", "spectral"):
    print(derivation.step(key))

# %% [markdown]
# ## 2. Closed forms for a Lorentz-Drude cutoff, Eqs. (25)-(28)

# %%
derivation.step("lorentz-drude")

# %% [markdown]
# ## 3. Fig. 2: damping and diffusion against temperature
# In units of their value at $T=0$. The spins saturate: their damping falls as
# $\tanh(\Omega_0/2T)$ (it is *largest* at $T=0$, unlike the abstract says) and their diffusion does
# not depend on temperature. The paper's Fig. 2b adds an offset $D_0$ to the spins; static spins
# only displace the oscillator, $D_0=0$, so that both curves start at 1.

# %%
density = DrudeLorentz(lam=1.0, gamma=10.0)


def values(temperature: float, spins: bool) -> dict[str, float]:
    beta = 1 / temperature if temperature else math.inf
    bath = Bath("b", "boson", beta, SpinSurrogate(density, beta) if spins else density)
    model = OscillatorModel("fig2", UNITS["natural"], 1.0, 1.0, (PositionCoupling("b"),), (bath,))
    return {name: x.value for name, x in coefficients(model).values.items()}


temperatures = np.linspace(0, 2, 21)
spin_curves = [values(t, True) for t in temperatures]
boson_curves = [values(t, False) for t in temperatures[::2]]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for axis, name, label in zip(axes, ("gamma", "D"), (r"$\gamma$", "$D$"), strict=True):
    scale = boson_curves[0][name]
    axis.plot(temperatures, [v[name] / scale for v in spin_curves], label="spins")
    axis.plot(
        temperatures[::2], [v[name] / scale for v in boson_curves], "o", mfc="none", label="QBM"
    )
    axis.set(xlabel=r"$T/\Omega_0$", ylabel=f"{label} / value at $T=0$", ylim=(0, None))
    axis.legend()
figure.tight_layout()

# %% [markdown]
# What the paper leaves as integrals, anomalous diffusion and frequency shift:

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
names = (("f", "$f$"), ("frequency_shift_squared", r"$\tilde\Omega_0^2$"))
for axis, (name, label) in zip(axes, names, strict=True):
    axis.plot(temperatures, [v[name] for v in spin_curves], label="spins")
    axis.plot(temperatures[::2], [v[name] for v in boson_curves], "o", mfc="none", label="QBM")
    axis.set(xlabel=r"$T/\Omega_0$", ylabel=label)
    axis.legend()
figure.tight_layout()

# %% [markdown]
# ## 4. Fig. 3: adiabatic elimination against the full equation
# One two-level system, damped by its own bath, between oscillator and environment. Full: Eq. (35) in
# a truncated Fock space, the number of states raised until $\langle N\rangle$ changes by less than
# $10^{-6}$. Adiabatic: $\langle N\rangle=2\Gamma t$ with $\Gamma$ of Eq. (41). Parameters of the
# paper, $\Delta=\Omega_0=g=1$: circles with (29), whose levels are $\Delta$ apart, dots with (35) as
# printed, $2\Delta$ apart.

# %%
derivation.step("elimination")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for axis, rate in zip(axes, (10.0, 100.0), strict=True):
    for colour, nbar in enumerate((0.0, 1.0, 5.0)):
        levels, printed = (
            DampedLevels(coupling=1, rate=rate, occupation=nbar, oscillator=1, splitting=apart)
            for apart in (1, 2)
        )
        full, doubled = (occupation(each, end=4.0, count=17) for each in (levels, printed))
        simple = 2 * levels.heating * full.times
        print(
            f"gamma = {rate:5.0f}, nbar = {nbar:.0f}: {full.cutoff} Fock states, "
            f"<N> changed by {full.change:.0e}; full {full.number[-1]:.4f}, "
            f"adiabatic {simple[-1]:.4f} at t = {full.times[-1]:.0f}"
        )
        axis.plot(full.times, full.number, "o", mfc="none", color=f"C{colour}", ms=4)
        axis.plot(full.times, doubled.number, ".", color=f"C{colour}", ms=2)
        axis.plot(full.times, simple, "x", color=f"C{colour}", ms=4, label=rf"$\bar n={nbar:.0f}$")
    axis.set(xlabel="$t$", ylabel=r"$\langle N\rangle$", title=rf"$\gamma={rate:.0f}$")
    axis.legend()
figure.tight_layout()

# %% [markdown]
# ## 5. Where the elimination fails
# With the levels' own correlation function $D$ keeps $\Delta$ and $\Omega_0$ against
# $\Gamma_2=\gamma(2\bar n+1)/2$. Off resonance (41) overestimates the heating by
# $(\Gamma_2^2+\Delta^2)/\Gamma_2^2$ or so, without bound for $\gamma\to0$.

# %%
derivation.step("validity")

# %%
rates = (0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 60.0)
ratios = []
for rate in rates:
    # g such that heating is slow on every scale
    levels = DampedLevels(coupling=0.05, rate=rate, occupation=0, oscillator=1, splitting=3)
    late = occupation(levels, end=40.0, count=3)
    slope = (late.number[-1] - late.number[-2]) / (late.times[-1] - late.times[-2])
    ratios.append(slope / (2 * levels.heating))
plt.loglog(rates, ratios, "o-")
plt.axhline(1, color="grey", lw=0.8)
plt.xlabel(r"$\gamma/\Omega_0$")
plt.ylabel("full / adiabatic heating rate")

# %% [markdown]
# ## 6. What is not Gaussian in a spin bath
# The four-point function of an unbiased spin is $c(t_{12}+t_{34})$. At fourth order the cumulant
# adds a term to the generator, of order $1/N$ for $N$ spins with the same $C(t)$.

# %%
derivation.step("fourth-cumulant")

# %%
energies, coupling = np.array([0.0, 1.0]), np.array([[0, 1], [1, 0]], dtype=complex)
times = np.linspace(0, 6, 25)
for bias in (0.0, 0.8):
    rule = IndependentSpins((Spin(1.0, bias, 1.3, 0.7),), only=(4,))
    term = Contracted.of(rule, energies, (coupling,), 4)
    plt.plot(times, [term.state(t).matrix[3, 3].real for t in times], label=f"bias {bias}")
plt.xlabel("$t$")
plt.ylabel(r"fourth cumulant's part of $\rho_{11}$, over $g^4$")
plt.legend()
