"""Presets: settings that show one thing each in some seconds on a laptop without a GPU."""

from pages.shared.workbench.presets import Preset

PRESETS = (
    Preset(
        "One mode at a time",
        "ε = 0.1: nothing seems to happen, then one singular value of the head rises after "
        "another. Three or four of them tell ten digits apart.",
        {"problem": "digits"},
    ),
    Preset(
        "Large start",
        "ε = 1: no plateau. All networks reach the same accuracy, about 98 %, as fast as the plain "
        "layer; what a small start showed is gone.",
        {"problem": "digits", "init_scale": 1.0},
    ),
    Preset(
        "Frozen backbone",
        "ρ = 0: the features stay what they were at the start, and the head alone learns. When it "
        "begins to, theory knows from the first gradient alone: dashed in the charts.",
        {"problem": "digits", "backbone_rate": 0.0},
    ),
    Preset(
        "Two dimensions",
        "r̂ = 2: the compressed head sees two numbers of each image. Ten digits become ten rays of "
        "a star in a plane.",
        {
            "problem": "digits",
            "rank_bound": 2,
            "learning_rate": 0.02,
            "steps": 1200,
            "record_every": 40,
        },
    ),
    Preset(
        "Compress on the way",
        "At step 300 a head only 10 wide takes over from the original. Its predictions stay what "
        "they were, because W never has more directions than classes; its steps become cheaper.",
        {"problem": "digits", "changes": "300:compress", "networks": "original,compressed,plain"},
    ),
    Preset(
        "Wrong labels",
        "40 % of the training images have the label of another digit. Held-out accuracy rises and "
        "falls again: first the digits are learned, then the mistakes. A narrow head does not "
        "prevent it.",
        {"problem": "digits", "label_noise": 0.4, "steps": 1200, "record_every": 40},
    ),
    Preset(
        "Clothes",
        "FashionMNIST, 60,000 pictures. The first mode tells shoes from tops; ten kinds of clothes "
        "need three or four modes. All heads end within two points of each other.",
        {"problem": "fashion_mnist"},
    ),
    Preset(
        "Convolutions",
        "A CNN as backbone: the head is a small part of the work, so that even layer by layer it "
        "costs hardly more time.",
        {
            "problem": "digits",
            "backbone": "cnn",
            "init_scale": 1.0,
            "steps": 300,
            "networks": "original,compressed,original_layered,plain",
        },
    ),
    Preset(
        "Vision transformer",
        "A ViT as backbone, with Adam. 1,400 pictures are few for it; the head hardly matters.",
        {
            "problem": "digits",
            "backbone": "vit",
            "init_scale": 1.0,
            "optimizer": "adam",
            "learning_rate": 0.002,
            "steps": 300,
            "networks": "original,compressed,plain",
        },
    ),
    Preset(
        "Residual network",
        "Three residual blocks as backbone: all heads end above 95 % after 200 steps, and none "
        "takes much less time than another.",
        {
            "problem": "digits",
            "backbone": "residual",
            "init_scale": 1.0,
            "steps": 200,
            "networks": "original,compressed,plain",
        },
    ),
)
