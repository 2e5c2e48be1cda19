"""What α really is: nearly a larger step."""

from typing import Any

from dynamics.teach.lesson import Found, Lesson
from dynamics.theory import escapes

SETTINGS: dict[str, Any] = {"problem": "completion", "networks": "compressed", "record_every": 10}
PLAIN, FAST, FAIR = "α = 1, η = 10", "α = 5, η = 10", "α = 1, η = 29.24"
ERROR = 1e-4  # recovery error until which steps are counted


def numbers(found: Found) -> dict[str, float]:
    """Steps to an error of 1e-4, and how much of α's lead remains at the same share of η*."""
    steps = {label: run.steps_to(ERROR) for label, run in found.items()}
    depth = found[FAST].config.depth
    alpha = found[FAST].config.alpha
    margin = alpha ** (2 / depth)
    waits = escapes.plateau(depth, 1.0) / escapes.plateau(depth, alpha)
    return {
        "alpha": alpha,
        "plain": steps[PLAIN],
        "fast": steps[FAST],
        "fair": steps[FAIR],
        "lead": steps[PLAIN] / steps[FAST],
        "expected_lead": waits,
        "left": steps[FAIR] / steps[FAST],
        "expected_left": waits / margin,
        "margin": margin,
    }


LESSON = Lesson(
    place=4,
    title="What is α, really?",
    idea="The discrepant rate α makes training faster. By what, and what is the fair comparison?",
    minutes=5,
    setup="The compressed network fills in a 100 × 100 matrix of which it sees 30 %. α is the "
    "factor by which its two outer factors move faster than the inner one. It is trained "
    "three times: with α = 1; with α = 5 and the same learning rate η = 10; and with α = 1 again, "
    "but η raised until it is as close to the limit at which training breaks as α = 5 is.",
    question="At the same η, α = 5 needs about three times fewer steps than α = 1. How much of "
    "that lead remains against α = 1 with the raised η?",
    answers=(
        "All of it: three times fewer steps",
        "About half of it: 1.5 times fewer",
        "Next to nothing: about 1.05 times fewer",
        "It turns round: α = 5 is slower then",
    ),
    right=2,
    runs={
        PLAIN: SETTINGS | {"alpha": 1.0, "learning_rate": 10.0},
        FAST: SETTINGS | {"alpha": 5.0, "learning_rate": 10.0},
        FAIR: SETTINGS | {"alpha": 1.0, "learning_rate": 29.24},
    },
    figures=("singular_values", "recovery_error"),
    watch="Watch: at which step does the error fall in each run?",
    numbers=numbers,
    facts=(
        ("Times fewer steps with α = 5, at the same η", "expected_lead", "lead"),
        ("The same at the same distance from the limit", "expected_left", "left"),
    ),
    explanation="""
Your runs reached an error of $10^{-4}$ after $@plain$, $@fast$ and $@fair$ steps. At the same η,
α = 5 has a lead of $@lead$ times. But a step can only be so large: descent breaks when η is above

$$
\\eta^\\ast = \\frac{2}{c\\, L\\, \\alpha^{2/L}\\, s_1^{\\,2-2/L}}
$$

($s_1$ is the largest singular value). Raising α to $@alpha$ lowers that limit by a factor of
$@alpha^{2/3} = @margin$: safety pays for the larger step. The third run spends the same safety on η
instead and is just as fast: α's lead is only $@left$.

Theory says the same for the plateaus: their lengths compare like
$\\int_1^\\infty db/a^2$ with $a^2 = \\alpha b^2 + 1 - \\alpha$, that is
$@expected_lead$ times at the same η and $@expected_left$ at the same distance from the limit. So α
is *nearly a larger step*. The spectral start and the cheap steps are what the compressed network
really has of its own.
""",
    beyond="When two methods are compared, give both the step size that suits them. For nonlinear "
    "networks it is open whether a discrepant rate does more than that.",
    invitation="The published comparison gives α to the compressed network alone. Here both "
    "networks have α = 5. How much of the compressed network's lead in steps remains?",
    attempt={"problem": "completion", "alpha_original": 5.0},
    answer="Little: the original takes about 1.15 times as many steps, instead of more than three "
    "times as many. The spectral start makes that difference. The lead in operations remains "
    "large, because a step of the compressed network is cheaper.",
    compared="recovery_error",
)
