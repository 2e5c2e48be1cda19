"""Films: the reader rates ten, and the network of a run recommends ten, also while it trains."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dynamics.findings.films import popular, predicted, recommended
from dynamics.runs import films as kept
from dynamics.runs.run import Run
from pages.shared.table import table

PACE = 1.0  # seconds between two looks at a run in training
NAMELESS = "film 1"
NO_TITLES = "There are no titles here: put u.item of MovieLens 100K beside its u.data."
Facts = Mapping[str, Sequence[Any]]


def films(run: Run) -> None:
    """Ten films to rate, ten for the reader, and held-out examples; nothing without films."""
    if "films" in run.layout.facts:
        st.fragment(_films, run_every=PACE if run.status.live else None)(run)


def _films(run: Run) -> None:
    facts = run.layout.facts
    made = kept.best(run)
    if made is None:
        return
    st.subheader("Ten films for you", anchor=False)
    if facts["films"][0] == NAMELESS:
        st.caption(NO_TITLES)
    with st.container(key="films"):
        rate, offer, examples = st.columns((5, 5, 6), gap="medium")
        with rate:
            rated = _rated(facts)
        with offer:
            _offered(facts, made, rated)
        with examples:
            _examples(facts, made)


def _rated(facts: Facts) -> dict[int, float]:
    """The stars that the reader gives to the ten films with the most ratings."""
    st.markdown("**Rate some of these**")
    stars = {}
    for film in popular(facts["film_counts"]):
        with st.container(key=f"film-{film}", horizontal=True, vertical_alignment="center"):
            st.markdown(_plain(facts["films"][film]))
            given = st.feedback("stars", key=f"stars of film {film}")
        if given is not None:
            stars[film] = given + 1.0
    return stars


def _offered(facts: Facts, made: kept.Films, rated: Mapping[int, float]) -> None:
    st.markdown("**For you**" if rated else "**For everybody**")
    stars = predicted(made.features, facts["film_means"], made.noise, rated)
    rows = [
        {"Film": facts["films"][one.film], "Stars": f"{one.stars:.1f}"}
        for one in recommended(stars, facts["film_counts"], rated)
    ]
    table(rows, "Ten films, and the stars that the network predicts for you")
    st.caption(
        f"By the network at step {made.step:,}, where its validation error was least so far."
        if rated
        else "Without a rating of yours: the films that are liked best."
    )


def _examples(facts: Facts, made: kept.Films) -> None:
    st.markdown("**Ratings that it has never seen**")
    rows = [
        {
            "Film": facts["films"][film],
            "Rated": f"{stars:.0f}",
            "Predicted": f"{min(5, max(1, mean + more)):.1f}",
            "By means": f"{min(5, max(1, mean)):.1f}",
        }
        for film, stars, mean, more in zip(
            facts["examples_film"],
            facts["examples_stars"],
            facts["examples_mean"],
            made.examples,
            strict=True,
        )
    ]
    table(rows, "Held-out ratings: what a user gave, and what the network predicts")
    st.caption(f"Each by a user of MovieLens; predicted by the network at step {made.step:,}.")


def _plain(title: str) -> str:
    """The title without what Markdown would read."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]$~:#<>" else letter for letter in title)
