"""Simulated devices in PyTorch: arrays, 2T2R layers, the pulse optimizer, checkpoints."""

from weakreset.model import PinkPoles, fit_pink_poles
from weakreset.simulation.activity import imperfection_activity
from weakreset.simulation.binary_layers import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryConv3d,
    BinaryConvTranspose1d,
    BinaryConvTranspose2d,
    BinaryConvTranspose3d,
    BinaryLinear,
    DeviceLayer,
)
from weakreset.simulation.checkpoint import load_checkpoint, save_checkpoint
from weakreset.simulation.convert import Conversion, LayerLeft, LayerOnDevices, conversion_of, convert
from weakreset.simulation.counter_random import derive_seed
from weakreset.simulation.device_array import DeviceArray
from weakreset.simulation.differential_pair import DifferentialPair, pair_of
from weakreset.simulation.latent_optimizer import LatentOptimizer
from weakreset.simulation.other_noise import Moved
from weakreset.simulation.programming import LayerProgrammed, Programmed, aged, program
from weakreset.simulation.pulse_optimizer import PulseOptimizer
from weakreset.simulation.pulse_report import PulseReport

__all__ = [
    "BinaryConv1d",
    "BinaryConv2d",
    "BinaryConv3d",
    "BinaryConvTranspose1d",
    "BinaryConvTranspose2d",
    "BinaryConvTranspose3d",
    "BinaryLinear",
    "Conversion",
    "DeviceArray",
    "DeviceLayer",
    "DifferentialPair",
    "LatentOptimizer",
    "LayerLeft",
    "LayerOnDevices",
    "LayerProgrammed",
    "Moved",
    "PinkPoles",
    "Programmed",
    "PulseOptimizer",
    "PulseReport",
    "aged",
    "conversion_of",
    "convert",
    "derive_seed",
    "fit_pink_poles",
    "imperfection_activity",
    "load_checkpoint",
    "pair_of",
    "program",
    "save_checkpoint",
]
