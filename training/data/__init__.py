"""Datasets: how dialogues come in, what they hold, and what training reads of them."""
