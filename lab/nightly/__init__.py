"""The nightly job: the suites of a plan on one testbed, within a time budget, judged by the nights before."""
