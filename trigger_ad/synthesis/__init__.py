"""What the firmware costs: the tools that can measure it, the reports they leave, and estimates until they have run."""
