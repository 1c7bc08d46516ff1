"""The boot network: a network of its own in which one image is served to one machine."""
