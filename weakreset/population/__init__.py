"""Device-to-device laws: hierarchical truncated maximum likelihood, family by AIC."""

from weakreset.population.device_table import read_device_table, with_noise
from weakreset.population.export import export_parameters
from weakreset.population.families import fit_values
from weakreset.population.fit_population import fit_population
from weakreset.population.result import Candidate, CorrelationFit, GoodnessOfFit, LawFit, PairTest, Population

__all__ = [
    "Candidate", "CorrelationFit", "GoodnessOfFit", "LawFit", "PairTest", "Population", "export_parameters",
    "fit_population", "fit_values", "read_device_table", "with_noise",
]
