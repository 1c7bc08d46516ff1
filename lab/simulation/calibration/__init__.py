"""Fits what is not known of the core model to microbenchmarks of this host, and freezes it.

``points``: what is measured; ``measure``: windows of this host; ``states``: what they say, near and far apart;
``capacity``, ``step``, ``held``: what one core holds in flight;
``fit``: weights of the priors; ``frozen``: the file.
"""
