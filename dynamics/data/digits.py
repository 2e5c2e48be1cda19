"""Digits: 1,797 handwritten digits of 8 × 8 pixels that ship with scikit-learn."""

import numpy as np

from dynamics.data.labelled import Labelled


def digits() -> Labelled:
    """The digits 0 to 9, with brightness from 0 to 1; none of them is held out.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998).
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images / 16).astype(np.float32)[:, np.newaxis]
    names = tuple(str(name) for name in found.target_names)
    return Labelled(images, found.target.astype(np.int64), None, None, names)
