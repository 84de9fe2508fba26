"""A parameter file as text for other simulators: one file a target, each stating its own error in what it writes."""

from weakreset.exports.datapackage import columns_of, package_of, write_datapackage
from weakreset.exports.registry import TARGETS, target_named
from weakreset.exports.target import ExportSettings, Target

__all__ = ["TARGETS", "ExportSettings", "Target", "columns_of", "package_of", "target_named", "write_datapackage"]
