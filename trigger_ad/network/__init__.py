"""The frozen quantized network as an exact integer graph: what the firmware is generated from and held against."""
