"""Glossary: the program's words, each in a sentence or two for whoever has not read the paper."""

TERMS = {
    "α, discrepant rate": "How many times faster the first and the last factor of the compressed "
    "network move than the others: their learning rate is αη.",
    "Balance": "The difference in size between two neighbouring factors, each divided by its α. "
    "Training with very small steps never changes it; its drift shows what finite steps do.",
    "Compressed network": "L factors only r̂ wide. The first and the last start at the top singular "
    "vectors of the surrogate matrix, so no step is spent on finding directions.",
    "Depth L": "The number of factors. The deeper, the longer a small singular value waits, and "
    "the more low rank is favoured.",
    "Escape": "The step at which a mode leaves its plateau. It is counted when the singular "
    "value has reached half of its final size.",
    "ε, initial scale": "The size of the factors at the start. Smaller values mean longer plateaus "
    "and modes that come one by one.",
    "η, learning rate": "The length of a gradient step.",
    "η*, stability limit": "The largest learning rate at which training can settle: 2 divided by "
    "the greatest curvature at the end. Above it the loss oscillates or diverges.",
    "Factor": "One of the L matrices whose product is the network.",
    "Gradient flow": "Gradient descent with infinitely small steps. Some results are exact for it "
    "and nearly so for small η.",
    "Half grown": "A singular value has reached half of its final size.",
    "J, incrementality": "The time between two escapes, divided by the time that the later mode "
    "takes to rise. Well above 1, modes come one by one; below 1, they merge.",
    "Leak": "The share of the weights that lies outside the subspace that theory says they never "
    "leave.",
    "Mode": "One singular value σᵢ of the network's matrix with its two directions uᵢ and vᵢ. "
    "A matrix of rank r has r modes.",
    "Original network": "L factors as wide as the matrix itself, with a random start.",
    "Overlap": "How well a network's singular directions agree with the target's: the cosine of "
    "the angle between them. 1 is the same direction, 0 a right angle.",
    "Plateau": "A stretch of training in which the loss hardly falls, because the next mode is "
    "still too small to be seen.",
    "Principal angles": "The angles between two subspaces. All are 0 when the subspaces are the "
    "same.",
    "Recovery error": "‖W − M*‖ / ‖M*‖, the distance from the whole target, unseen entries "
    "included.",
    "Residual": "The distance of a measured singular value from theory's, as a share of its final "
    "size.",
    "r̂, width bound": "The width of the compressed network. It needs to be at least the rank r.",
    "Singular value": "How much a matrix stretches along one of its own directions.",
    "Spectral start": "The start at the surrogate's top singular vectors: the first factor is "
    "ε V̂ᵀ, the last ε Û, and those between are ε times the identity.",
    "Surrogate matrix": "A first guess of the target, made from the measurements alone; the "
    "direction of the first gradient.",
    "Target M*": "The matrix that is to be found.",
    "Unmoved": "The number of singular values that never left the size of their start.",
}


def about(*names: str) -> str:
    """The definitions of these terms, one sentence after another, for a tooltip.

    Raises:
        KeyError: if a name is not a term.
    """
    return " ".join(f"{name}: {TERMS[name]}" for name in names)
