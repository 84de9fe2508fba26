"""The report: one self-contained HTML page, readable offline, on a phone, on paper."""

from weakreset.plots import TrainingRun
from weakreset.report.build import build_devices, build_report
from weakreset.report.comparison_page import build_comparison, comparison_rows
from weakreset.report.content import ReportInput
from weakreset.report.file_page import build_file_page
from weakreset.report.page import ReportPage, make_report
from weakreset.report.recipe import Recipe, Twin

__all__ = [
    "Recipe", "ReportInput", "ReportPage", "TrainingRun", "Twin", "build_comparison", "build_devices",
    "build_file_page", "build_report", "comparison_rows", "make_report",
]
