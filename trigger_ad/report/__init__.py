"""The report of a run: one self-contained HTML page, Markdown and JSON, from figures that others have measured."""
