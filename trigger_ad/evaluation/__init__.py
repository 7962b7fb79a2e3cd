"""How well a score separates signals from the background, and how well that is known."""
