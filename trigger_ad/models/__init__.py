"""The architectures, as float and as quantized Keras models."""
