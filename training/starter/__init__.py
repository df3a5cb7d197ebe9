"""The recipe of the starter model: scripts -> speech -> codec -> dialogues -> language model -> scores."""
