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
# # The Bloch equations beyond weak coupling
#
# Laird, Budimir and Skinner (J. Chem. Phys. **94**, 4391, 1991) derived the relaxation rates of two
# levels coupled to oscillators to *fourth* order. Here the engine does the algebra, stage by stage:
# Hamiltonian, ordered cumulants, Wick pairings, Liouville paths, closed spectral form, limits,
# numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

import pertsym as ps
from pertsym.equations.thermal import detailed_balance, zero_temperature
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.present.display import shown

# %% [markdown]
# ## 1. The Hamiltonian
# $H=\omega_0|1\rangle\langle1|+H_B+\Lambda|1\rangle\langle0|
# +\Lambda^\dagger|0\rangle\langle1|$ with $\Lambda=\sum_k h_k(b_k+b_k^\dagger)$ and real $h_k^2$. The bath enters through
# $C_1=\langle\Lambda^\dagger(t)\Lambda\rangle$ and $C_2=\langle\Lambda(t)\Lambda\rangle$.

# %%
paper = ps.bloch(ps.laird())

# %% [markdown]
# ## 2. Ordered cumulants and Wick pairings
# Pairings that can be cut between neighbouring times cancel. Two of three survive at order 4; every
# surviving operator ordering has coefficient $\pm1$.

# %%
for pairing, words in ordered_cumulant(4):
    print(pairing, dict(words))

# %% [markdown]
# ## 3. Liouville paths: the ten terms of Eq. (90)

# %%
paper.k_up[4].terms

# %% [markdown]
# ## 4. Closed spectral form: Eq. (91)
# With $\hat C_i(\omega)=\int dt\,e^{i\omega t}C_i(t)$, which is $2J_i(\omega)[n(\omega)+1]$ for
# $\omega>0$, and $P_i(\omega)=\mathrm P\!\int d\omega'\,\hat C_i(\omega')/(\omega'-\omega)$. Primes
# are derivatives with respect to the argument.

# %%
paper.k_up[4]

# %% [markdown]
# The same form comes from a second route that shares no code with the first: the paper's own
# generalized functions. For the seventh term of (90) as Appendix C does it:

# %%
print("\n".join(paper.k_up[4].rules.text[:30]))

# %% [markdown]
# ## 5. Pure dephasing, and a result the paper does not have
# $1/T_2'=1/T_2-1/(2T_1)$ keeps one integral, Eq. (135), a display that the scan lost.

# %%
paper.inv_T2_prime[4]

# %% [markdown]
# The fourth-order frequency shift closes completely.

# %%
paper.frequency_shift[4]

# %% [markdown]
# ## 6. Detailed balance and zero temperature
# $K=K^{(0)}+K^{(2)}$ from imaginary time, Eq. (116), and the proof that
# $k_{10}^{(4)}-K^{(0)}k_{01}^{(4)}-K^{(2)}k_{01}^{(2)}$ vanishes.

# %%
K = paper.equilibrium_constant
K[2]

# %%
difference = paper.k_up[4].form - paper.k_down[4].form * K[0].form
difference -= paper.k_down[2].form * K[2].form
assert not detailed_balance(difference)
shown(zero_temperature(paper.k_up[4].form), r"\lim_{T\to0}k_{10}^{(4)}", "k10(4) at T = 0")

# %% [markdown]
# ## 7. Numbers: rates against temperature
# One super-Ohmic bath through $\sigma_x$, $J(\omega)=\alpha\omega^3e^{-\omega/\omega_c}/\omega_c^2$,
# so that $C_1=C_2$. Every value carries a bound on its error.

# %%
bath = ps.Ohmic(alpha=0.1, wc=1.0, s=3)
temperatures = np.linspace(0.05, 2.0, 40)


def curve(result):
    function = result.function(C1=bath, C2=bath)
    estimates = [function(1.0, 1.0 / T) for T in temperatures]
    values = np.array([e.value for e in estimates])
    errors = np.array([e.error for e in estimates])
    assert np.all(errors <= 1e-10 * np.max(np.abs(values)) + 1e-300)
    return values


rates = {
    name: {n: curve(getattr(paper, name)[n]) for n in (2, 4)}
    for name in ("k_up", "k_down", "inv_T1", "inv_T2")
}

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
for name, label, colour in (("k_up", "$k_{10}$", "C0"), ("k_down", "$k_{01}$", "C3")):
    left.plot(temperatures, rates[name][2], colour, ls="--", label=f"{label}, order 2")
    left.plot(temperatures, rates[name][4], colour, label=f"{label}, order 4 alone")
left.axhline(0, color="0.8", lw=0.8)
left.set(xlabel=r"$T/\omega_0$", ylabel=r"rate$/\omega_0$", title="Contributions of each order")
left.legend()
T1 = 1 / (rates["inv_T1"][2] + rates["inv_T1"][4])
T2 = 1 / (rates["inv_T2"][2] + rates["inv_T2"][4])
right.plot(temperatures, T1, "C2", label="$T_1$")
right.plot(temperatures, T2, "C1", label="$T_2$")
right.plot(temperatures, 2 * T1, "C2", ls=":", label="$2T_1$")
right.set(
    xlabel=r"$T/\omega_0$", ylabel=r"$\omega_0 T_i$", yscale="log", title="Through fourth order"
)
right.legend()
plt.show()

# %% [markdown]
# At fourth order $T_2$ exceeds $2T_1$ here, although the coupling is Hermitian.

# %%
warm = temperatures > 0.5
assert np.all(T2[warm] > 2 * T1[warm])
print(f"T2/(2 T1) at T = 1: {np.interp(1.0, temperatures, T2 / (2 * T1)):.4f}")
