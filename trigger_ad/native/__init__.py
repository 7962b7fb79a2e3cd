"""The exact network as a C++ library of its own: source, compilation, and the library loaded into Python."""
