"""Firmware projects: the HLS project, its test bench, and what the engineer who receives it reads."""
