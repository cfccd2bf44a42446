"""The retail core as a source: what follows from what was told, delivered like everything else."""
