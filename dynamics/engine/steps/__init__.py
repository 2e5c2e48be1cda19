"""Forms of the gradient step: all make the same steps, and ``fastest`` chooses the fastest."""
