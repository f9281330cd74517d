"""A job that counts."""

from core.run.events import state


def run(spec, inputs, control, out):
    for i in range(inputs["to"]):
        yield {"event": "progress", "done": i + 1, "of": inputs["to"]}
        yield {"event": "row", "number": i + 1, "said": f"toy row {i + 1}"}
    yield state("finished")
