"""Pure functions from what was counted to what is reported. They know no drivers, files or clocks."""
