"""The report: one self-contained HTML page, readable offline, on a phone, on paper."""

from weakreset.plots import TrainingRun
from weakreset.report.build import build_report
from weakreset.report.content import ReportInput

__all__ = ["ReportInput", "TrainingRun", "build_report"]
