"""The Check step: what will be learnt."""
