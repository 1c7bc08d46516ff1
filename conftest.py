"""Makes the lab's options and fixtures known to every suite."""

pytest_plugins = ["lab.plugin"]
