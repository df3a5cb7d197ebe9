"""What lies on disk: recordings, datasets, runs; without torch and without Qt."""
