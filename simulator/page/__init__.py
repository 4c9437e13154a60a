"""The page at `/`: what the simulator is doing, and the switches of a bad day."""
