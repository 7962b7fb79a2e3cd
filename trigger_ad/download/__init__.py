"""Getting the public ADC2021 files from their records, whole and verified."""
