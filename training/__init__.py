"""Finetune a Moshi-family model on recorded stereo dialogues."""
