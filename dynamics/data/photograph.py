"""The photograph: a picture that ships with scikit-learn, in grey, at any size."""

import numpy as np
from numpy.typing import NDArray


def photograph(rows: int, cols: int) -> NDArray[np.uint8]:
    """Brightness from 0 to 255 of the picture that scikit-learn ships, scaled to rows × cols."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    picture = Image.fromarray(load_sample_image("china.jpg")).convert("L")
    return np.asarray(picture.resize((cols, rows), Image.Resampling.LANCZOS))
