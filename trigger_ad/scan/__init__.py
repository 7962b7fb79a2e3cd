"""Many runs that differ in some keys: which, where they run, what is shared, and which is chosen."""
