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
# # An environment that feels the system
#
# Esposito and Gaspard (Phys. Rev. E **68**, 066112, 2003) kept the energy of the environment together
# with the state of the system: $P_{ss'}(\epsilon;t)$. Here the engine derives their equation and
# Redfield's from one ordered cumulant, with two projectors, and both are compared with the exact
# von Neumann equation for a spin in a random-matrix environment.

# %%
import json

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Latex, display

from derivations.esposito_gaspard_2003.spectral_rate import spectral_rate
from pertsym.environments.non_crossing import NonCrossing
from pertsym.expansion.paths import projected_cumulant
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE
from pertsym.library import builtin, find
from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling
from pertsym.random_matrix.ensemble import half_chord
from pertsym.random_matrix.evolution import METHODS, populations
from pertsym.random_matrix.fourth_order import conserved_energy

paper = find("esposito_gaspard_2003")
steps = {step.key: step for step in paper.narrate(4)}


def show(key):
    print(steps[key].title)
    display(Latex("".join(f"$${formula.latex}$$" for formula in steps[key].formulas)))


# %% [markdown]
# ## 1. One expansion, two projectors
# The average of two bath operators, and what is remembered between averages, are data. At second
# order four terms are left, whatever is remembered; they differ in where a gain ends.

# %%
for projector in (ENERGY_RESOLVED, FIXED_STATE):
    print(projector.name, [len(projected_cumulant(NonCrossing(), projector, n)) for n in (2, 4)])
show("master-equation")
show("redfield")

# %% [markdown]
# ## 2. Populations
# Pauli's equation conserves $\epsilon+E_s$ on the way there and on the way back; Redfield's does not.

# %%
for key in ("pauli", "redfield-populations", "relaxation", "gorm-relaxation"):
    show(key)

# %% [markdown]
# Both as jumps in the plane of the environment's and the system's energy: with the energy kept the way
# back ends where it began, Redfield's climbs. To the right the rate of the energy-resolved equation over
# energy and splitting; it vanishes outside the triangle in which both levels lie in the band.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
gap = 0.3
for start, end, color in (((-0.3, 1), (0.0, 0), "C0"), ((0.0, 0), (-0.3, 1), "C0"),
                          ((0.1, 1), (0.4, 0), "C1"), ((0.1, 0), (-0.2, 1), "C1")):  # fmt: skip
    left.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color})
left.set(xlim=(-0.5, 0.5), ylim=(-0.3, 1.3), yticks=(0, 1), yticklabels=("-", "+"))
left.set(xlabel="energy of the environment", title="energy kept (blue), Redfield at 0.1 (orange)")
eps, delta = np.meshgrid(np.linspace(-0.5, 0.5, 201), np.linspace(0, 1.2, 201))
both = (half_chord(eps) + half_chord(eps + delta)) * (eps + delta < 0.5)
right.pcolormesh(eps, delta, both, shading="auto")
right.set(xlabel="ε", ylabel="Δ", title="γ/λ²")
figure.tight_layout()

# %% [markdown]
# ## 3. Against the exact solution
# Exact curves: average over realisations with $N=1000$ states (`python -m benchmarks.spin_gorm all`,
# seeded), and extrapolated from $N=500$ and $1000$ to an infinite environment.

# %%
checkout = builtin().root
data = json.loads((checkout / "notebooks" / "data" / "spin_gorm.json").read_text())
styles = {
    "energy-resolved": "C0-",
    "energy-resolved-markov": "C0--",
    "redfield-nonmarkov": "C1-",
    "redfield": "C1--",
}


def exact(record):
    coarse, fine = (np.array(record[n]["z"]) for n in ("500", "1000"))
    return fine, 2 * fine - coarse


def panel(axis, case, last):
    record = data[case]
    t = np.array([x for x in record["times"] if x <= last])
    fine, limit = (z[: t.size] for z in exact(record))
    dense = np.linspace(0, last, 401 if last < 50 else 121)
    for method, style in styles.items():
        p = populations(
            method, record["delta"], record["lambda"] ** 2, record["energy"], (0, 1), dense
        )
        axis.plot(dense, p[:, 1] - p[:, 0], style, label=method)
    axis.plot(t, fine, "k.", ms=4, label="exact, N = 1000")
    axis.plot(t, limit, "kx", ms=3, alpha=0.5, label="exact, extrapolated")
    axis.set_title(f"Δ = {record['delta']}, λ = {record['lambda']}, ε = {record['energy']}")
    axis.set_xlabel("t")
    axis.set_ylabel("z")


figure, axes = plt.subplots(2, 3, figsize=(14, 8))
for row, last in zip(axes, (600, 50), strict=True):
    for axis, case in zip(row, ("delta 0.01", "delta 0.1", "delta 0.5"), strict=True):
        panel(axis, case, last)
axes[0, 0].legend(fontsize=7)
figure.tight_layout()

# %% [markdown]
# The Markovian curves run parallel to the exact ones after the early decay. Started from slipped initial
# values, the integral of what their generators leave out, they join them.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4))
for axis, case in zip(axes, ("delta 0.01", "delta 0.1"), strict=True):
    record, t = data[case], np.linspace(0, 50, 201)
    for method, slipped, style in (
        ("energy-resolved", False, "k"), ("energy-resolved-markov", False, "C0--"),
        ("energy-resolved-markov", True, "C0:"), ("redfield", False, "C1--"),
        ("redfield", True, "C1:"),
    ):  # fmt: skip
        start = record["delta"], record["lambda"] ** 2, record["energy"], (0, 1)
        p = populations(method, *start, t, slipped=slipped)
        axis.plot(t, p[:, 1] - p[:, 0], style, label=method + ", slipped" * slipped)
    axis.set(title=case, xlabel="t", ylabel="z")
axes[0].legend(fontsize=7)
figure.tight_layout()

# %% [markdown]
# Far outside the band, $\Delta=5$: the Markovian equations stay at 1 and the spin only wobbles on the
# time scale of the environment, as both non-Markovian equations say.

# %%
figure, axis = plt.subplots(figsize=(6, 4))
panel(axis, "delta 5", 20)
axis.legend(fontsize=7)
figure.tight_layout()

# %% [markdown]
# ## 4. How far off, and how much of that is the finite environment
# Largest deviation of $z$ from the exact curve for $N=1000$, from the extrapolated one, and the bias
# between $N=500$ and $N=1000$.

# %%
print(f"{'case':<12}{'method':<24}{'N = 1000':>10}{'N -> oo':>10}{'bias':>10}")
for case in ("delta 0.01", "delta 0.1", "delta 0.5", "delta 5"):
    record = data[case]
    fine, limit = exact(record)
    bias = np.abs(limit - fine).max()
    for method in METHODS:
        p = populations(
            method,
            record["delta"],
            record["lambda"] ** 2,
            record["energy"],
            (0, 1),
            record["times"],
        )
        z = p[:, 1] - p[:, 0]
        print(
            f"{case:<12}{method:<24}{np.abs(z - fine).max():>10.4f}"
            f"{np.abs(z - limit).max():>10.4f}{bias:>10.4f}"
        )

# %% [markdown]
# ## 5. Beyond the paper: fourth order
# With the environment put back to $\epsilon$ the fourth-order rate grows linearly in time. With the
# energy kept it has a limit, at conserved total energy.

# %%
print(*steps["secular"].text, sep="\n")
show("conserved-energy")

# %% [markdown]
# The exact rate at one total energy is a pole of the spectrum of $\sigma_z$ between eigenstates of
# mean energy $E$; it is compared with second and fourth order for a small environment here.

# %%
for strength in (0.3, 0.5):
    model = RandomMatrixModel(
        "spin-GORM",
        UNITS["natural"],
        (-0.05, 0.05),
        (Coupling.of(((0, 1), (1, 0)), "env", strength),),
        RandomMatrixBath("env", 0.0, 0.05),
    )
    found = spectral_rate(model, 0.0, size=300, realisations=40, seed=5)
    rates = conserved_energy(model.energies, strength**2, 0.0).rates
    print(
        f"λ = {strength}: order 2 {rates[2]:.4f}, orders 2 + 4 {sum(rates.values()):.4f}, "
        f"exact {found.rate:.4f} ± {found.error:.4f}"
    )
