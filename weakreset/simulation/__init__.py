"""Simulated devices in PyTorch: arrays, 2T2R layers, the pulse optimizer, checkpoints."""

from weakreset.simulation.activity import imperfection_activity
from weakreset.simulation.binary_layers import BinaryConv2d, BinaryLinear
from weakreset.simulation.checkpoint import load_checkpoint, save_checkpoint
from weakreset.simulation.convert import convert
from weakreset.simulation.counter_random import derive_seed
from weakreset.simulation.device_array import DeviceArray
from weakreset.simulation.differential_pair import DifferentialPair, PulseReport, pair_of
from weakreset.simulation.latent_optimizer import LatentOptimizer
from weakreset.simulation.other_noise import Moved
from weakreset.simulation.pink_poles import PinkPoles, fit_pink_poles
from weakreset.simulation.pulse_optimizer import PulseOptimizer

__all__ = [
    "BinaryConv2d",
    "BinaryLinear",
    "DeviceArray",
    "DifferentialPair",
    "LatentOptimizer",
    "Moved",
    "PinkPoles",
    "PulseOptimizer",
    "PulseReport",
    "convert",
    "derive_seed",
    "fit_pink_poles",
    "imperfection_activity",
    "load_checkpoint",
    "pair_of",
    "save_checkpoint",
]
