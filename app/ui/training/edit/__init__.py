"""The page that corrects words beside their sound."""
