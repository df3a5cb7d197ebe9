"""What graphics cards would be given, looked at without one: launches, cubins, graphs, numbers."""
