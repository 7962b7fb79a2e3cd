"""Emulators of the firmware and of the model, each held against the exact integer reference."""
