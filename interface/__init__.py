"""What every page shares: the shell around it, small template tags, forms as components. Knows no app."""
