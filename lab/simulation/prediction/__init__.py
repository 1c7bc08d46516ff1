"""What a machine should do with an image: rates, latencies, misses, and what each structure costs."""
