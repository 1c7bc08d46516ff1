"""The report of a run: one HTML file that needs no network."""

from lab.report.html import write_report

__all__ = ["write_report"]
