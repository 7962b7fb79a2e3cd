"""Does W production need matrix elements for jets? Prints the table of docs/simulation.md that answers it.

The transverse momentum of W bosons from Pythia's shower (whose first emission is corrected to the matrix element) is
held against that from the matrix elements of W plus one parton. Run it with

    python docs/w_boson_recoil.py
"""

from __future__ import annotations

import math

import click
import numpy as np
from numpy.typing import NDArray

from trigger_ad.simulation.processes import PROCESSES, make_pythia

EVENTS = 20_000
SEED = 1
BINS = ((30.0, 40.0), (40.0, 60.0), (60.0, 100.0), (100.0, 200.0))
SHOWER = ("WeakSingleBoson:ffbar2W = on",)
# the cut on the matrix element lies well below the first bin
MATRIX_ELEMENT = ("WeakBosonAndParton:qqbar2Wg = on", "WeakBosonAndParton:qg2Wq = on", "PhaseSpace:pTHatMin = 20.")
PARTONS_ONLY = ("PartonLevel:MPI = off", "HadronLevel:all = off")


def w_transverse_momenta(hard_process: tuple[str, ...]) -> tuple[NDArray[np.float64], float]:
    """Transverse momenta of W bosons in GeV after showers, and the cross-section in nb."""
    decays = tuple(line for line in PROCESSES["w"].settings if line.startswith("24:"))
    pythia = make_pythia((*hard_process, *decays, *PARTONS_ONLY), SEED)
    pythia.init()
    found: list[float] = []
    while len(found) < EVENTS:
        if pythia.next():
            found.append([record.pT() for record in pythia.event if record.idAbs() == 24][-1])
    return np.array(found), float(pythia.infoPython().sigmaGen()) * 1e6


def main() -> None:
    """Prints the table."""
    shower, shower_nb = w_transverse_momenta(SHOWER)
    matrix, matrix_nb = w_transverse_momenta(MATRIX_ELEMENT)
    click.echo("| W pT, GeV | shower, nb | matrix element and shower, nb | ratio |\n| --- | ---: | ---: | ---: |")
    for low, high in BINS:
        counts = [int(((pt > low) & (pt < high)).sum()) for pt in (shower, matrix)]
        one, other = shower_nb * counts[0] / EVENTS, matrix_nb * counts[1] / EVENTS
        error = one / other * math.hypot(*(count**-0.5 for count in counts))
        click.echo(f"| {low:g}-{high:g} | {one:.3g} | {other:.3g} | {one / other:.2f} ± {error:.2f} |")


if __name__ == "__main__":
    main()
