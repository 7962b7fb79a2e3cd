"""The stages of a run, their order, and when each is out of date."""
