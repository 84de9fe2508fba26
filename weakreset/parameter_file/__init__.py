"""The parameter file: one JSON that the exporter writes and the simulation reads."""

from weakreset.model import Imperfection, check_without, imperfections
from weakreset.parameter_file.describe import describe, origin_of, picture_in_text
from weakreset.parameter_file.draw import draw_cycle, draw_devices
from weakreset.parameter_file.edit import changes_of, edit_parameters
from weakreset.parameter_file.law_errors import draw_laws, draw_parameters
from weakreset.parameter_file.load_save import (
    dump_parameters,
    json_schema,
    load_parameters,
    parse_parameters,
    preset_names,
    save_parameters,
)
from weakreset.parameter_file.new import EXAMPLE_TABLE, Missing, missing_in, new_parameters
from weakreset.parameter_file.not_identifiable import NotIdentifiable, assumed_numbers
from weakreset.parameter_file.over_pulses import DriftBand, drift_band
from weakreset.parameter_file.presets import majumdar2021
from weakreset.parameter_file.scale_spread import scale_spread
from weakreset.parameter_file.schema import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    Correlation,
    CycleSpread,
    D2dScaling,
    DefectKind,
    Defects,
    Edit,
    Empirical,
    ExcludedDevice,
    FamilyChoice,
    InputFile,
    Noise,
    ParameterFile,
    ParameterLaw,
    Provenance,
    ResetPulse,
)
from weakreset.parameter_file.tables import device_columns, law_rows, write_devices, write_laws

__all__ = [
    "EXAMPLE_TABLE",
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "Correlation",
    "CycleSpread",
    "D2dScaling",
    "DefectKind",
    "Defects",
    "DriftBand",
    "Edit",
    "Empirical",
    "ExcludedDevice",
    "FamilyChoice",
    "Imperfection",
    "InputFile",
    "Missing",
    "Noise",
    "NotIdentifiable",
    "ParameterFile",
    "ParameterLaw",
    "Provenance",
    "ResetPulse",
    "assumed_numbers",
    "changes_of",
    "check_without",
    "describe",
    "device_columns",
    "draw_cycle",
    "draw_devices",
    "draw_laws",
    "draw_parameters",
    "drift_band",
    "dump_parameters",
    "edit_parameters",
    "imperfections",
    "json_schema",
    "law_rows",
    "load_parameters",
    "majumdar2021",
    "missing_in",
    "new_parameters",
    "origin_of",
    "parse_parameters",
    "picture_in_text",
    "preset_names",
    "save_parameters",
    "scale_spread",
    "write_devices",
    "write_laws",
]
