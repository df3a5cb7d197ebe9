"""The step Check: what will be learnt."""
