"""Forms of the gradient step: all take the same steps, ``fastest`` chooses the quickest one."""
