"""What the simulator draws, films and sings."""
