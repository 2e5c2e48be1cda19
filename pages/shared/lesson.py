"""Lesson: the four steps of one lesson on the page: predict, run, explain, try.

The address keeps the lesson and the guess; the runs are those of its settings, whoever trained
them. So a reload or a link shows the same step again.
"""

import html

import streamlit as st

from dynamics import runs
from dynamics.config import Config
from dynamics.figure import compared
from dynamics.lesson import Done, Lesson, lessons, load, plain
from pages.shared import controls, hiding
from pages.shared.charts import panels
from pages.shared.live import live

STEPS = ("Predict", "Run", "Explain", "Try")
FAILED = ("failed", "lost", "cancelled", "unreadable")


def turn_to(name: str = "") -> None:
    """Show another lesson, or the list; within a page, a link would not change the address."""
    st.query_params.from_dict({"lesson": name} if name else {})


def walk(name: str, lesson: Lesson, guess: int | None) -> None:
    """All steps up to the one at which the viewer is."""
    found = {label: _run(config.key) for label, config in lesson.configs.items()}
    done = guess is not None and all(run and run.status.phase == "done" for run in found.values())
    st.html(_progress(0 if guess is None else 3 if done else 1))
    st.markdown(lesson.setup)
    _predict(name, lesson, guess)
    if guess is None:
        return
    _watch(lesson, found, done)
    if done:
        _explain(lesson, guess, {label: run for label, run in found.items() if run})
        _try(name, lesson)
        st.session_state.setdefault("learned", {})[name] = guess


def _run(key: str) -> runs.Run | None:
    try:
        return runs.find(key, runs.root())
    except runs.RunError:
        return None


def _progress(now: int) -> str:
    words = "".join(
        f'<li class="{"past" if number < now else "ahead"}"><b>{number + 1}</b> {step}</li>'
        if number != now
        else f'<li class="now" aria-current="step"><b>{number + 1}</b> {step}</li>'
        for number, step in enumerate(STEPS)
    )
    return f'<ol class="steps">{words}</ol>'


def _head(number: int) -> None:
    st.subheader(f"{number} · {STEPS[number - 1]}", anchor=False)


def _predict(name: str, lesson: Lesson, guess: int | None) -> None:
    _head(1)
    with st.container(border=True, key="question"):
        picked = st.radio(
            lesson.question,
            range(len(lesson.answers)),
            index=guess,
            format_func=lambda number: lesson.answers[number],
            disabled=guess is not None,
            key=f"guess {name} {guess}",
        )
        if guess is None:
            st.button(
                "That is my prediction: train",
                type="primary",
                icon=":material/play_arrow:",
                disabled=picked is None,
                on_click=_commit,
                args=(lesson, picked),
            )


def _commit(lesson: Lesson, guess: int) -> None:
    st.query_params["guess"] = str(guess + 1)
    _train(lesson)


def _train(lesson: Lesson) -> None:
    try:
        for config in lesson.configs.values():
            runs.start(config, runs.root())
    except runs.RunError as error:
        st.session_state["told"] = str(error)


def _watch(lesson: Lesson, found: dict[str, runs.Run | None], done: bool) -> None:
    _head(2)
    st.markdown(lesson.watch)
    if told := st.session_state.pop("told", None):
        st.error(told)
    label = next(iter(found))
    if len(found) > 1:
        label = st.segmented_control(
            "Which run", list(found), default=label, required=True, label_visibility="collapsed"
        )
    missing = [run for run in found.values() if not run or run.status.phase in FAILED]
    if missing:
        st.button(
            "Train", type="primary", icon=":material/play_arrow:", on_click=_train, args=(lesson,)
        )
    elif not done:
        _wait([run for run in found.values() if run])
    if run := found[label]:
        live(run.key, panels(lesson.figures, run.config), key="lesson charts", theory=done)


@st.fragment(run_every=0.5)
def _wait(found: list[runs.Run]) -> None:
    """How many runs have ended; the page goes on when all have, whichever of them is shown."""
    left = [run for run in found if run.status.live]
    if not left:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(found) - len(left)} of {len(found)} runs done; then it is explained.")
        st.button("Cancel", icon=":material/stop:", type="tertiary", on_click=_cancel, args=(left,))


def _cancel(found: list[runs.Run]) -> None:
    for run in found:
        run.ask(runs.CANCEL)


def _explain(lesson: Lesson, guess: int, found: dict[str, runs.Run]) -> None:
    _head(3)
    right, yours = lesson.answers[lesson.right], lesson.answers[guess]
    if guess == lesson.right:
        st.success(f"As you predicted: **{right}.**", icon=":material/check_circle:")
    else:
        st.info(
            f"You predicted: {yours}. It came out as: **{right}.**", icon=":material/lightbulb:"
        )
    ended = {
        label: Done(run.config, {each.network: each for each in run.trajectories})
        for label, run in found.items()
    }
    numbers = lesson.numbers(ended)
    st.html(_table(lesson, {name: plain(value) for name, value in numbers.items()}))
    if lesson.compared:
        drawn = [(label, list(each.networks.values())) for label, each in ended.items()]
        st.plotly_chart(
            compared(drawn, lesson.compared), config={"displaylogo": False}, key="comparison"
        )
    st.markdown(lesson.explained(numbers))
    st.caption(f"**Beyond this page.** {lesson.beyond}")


def _table(lesson: Lesson, numbers: dict[str, str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in lesson.columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(words)}</th>'
        + "".join(f"<td>{numbers[name]}</td>" for name in names)
        + "</tr>"
        for words, *names in lesson.facts
    )
    return (
        f'<table class="facts"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def invitation(name: str) -> None:
    """What a lesson asks one to try, on the page where that is done, and the way back."""
    guess = st.session_state.get("learned", {}).get(name)
    with st.container(border=True, key="invitation"):
        st.markdown(f"**Try.** {load(name).invitation}")
        st.page_link(
            "pages/2_Lessons.py",
            label="Back to the lesson",
            icon=":material/arrow_back:",
            query_params={"lesson": name} | ({} if guess is None else {"guess": str(guess + 1)}),
        )


def _try(name: str, lesson: Lesson) -> None:
    _head(4)
    st.markdown(lesson.invitation)
    query = (
        controls.differences(Config.from_dict(lesson.attempt), None)
        | hiding.query(lesson.hide)
        | {"lesson": name}
    )
    with st.container(key="go"):
        st.page_link(
            "pages/1_Side_by_side.py",
            label="Try it",
            icon=":material/science:",
            query_params=query,
            width="content",
        )
    with st.expander("What one finds"):
        st.markdown(lesson.answer)
    names = list(lessons())
    for after in names[names.index(name) + 1 :][:1]:
        st.button(
            f"Next: {load(after).title}",
            icon=":material/arrow_forward:",
            on_click=turn_to,
            args=(after,),
        )
