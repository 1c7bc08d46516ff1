"""The image's microbenchmarks (firmware-images/pix/bench), on this host and in the booted image, and what they say."""
