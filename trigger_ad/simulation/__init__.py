"""Simulated events: Pythia 8, a parametrised detector response, and the ADC2021 selection and layout."""
