"""Trigger events: the ADC2021 layout, reading and validating files, the fixed split, the shipped sample."""
