"""The frame step of a Moshi-family language model, without what moshi's own LMGen does over and over."""
