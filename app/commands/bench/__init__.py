"""The verb `bench`: sound, engine, loading."""
