"""Event files and the real TensorBoard.

    python -m venv VENV && VENV/bin/pip install -r test/oracle/requirements.txt
    VENV/bin/python test/oracle/tensorboard_events.py fixture
    VENV/bin/python test/oracle/tensorboard_events.py check EXPORT/tensorboard RUN/journal.jsonl

`fixture` makes apps/coordinator/src/tensorboard/fixtures/events.json: some scalars, and the bytes that TensorBoard's own
classes write for them. `check` reads what `nesgd export --format tensorboard` wrote with TensorBoard's EventAccumulator
and compares every scalar with the journal.
"""

import base64
import io
import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

FIXTURE = Path(__file__).parents[2] / "apps/coordinator/src/tensorboard/fixtures/events.json"
SCALARS = [
    {"tag": "accuracy/validation", "step": 1, "value": 0.5, "at": 1769860800000},
    {"tag": "loss/train", "step": 0, "value": 0.0, "at": 1769860800125},
    {"tag": "loss/train", "step": 127, "value": -1.25, "at": 1769860801500},
    {"tag": "search/\u2207 \u732b", "step": 300, "value": 1e-7, "at": 1769860802999},
    {"tag": "t" * 200, "step": 2**31 + 5, "value": 3.4e38, "at": 1769860803000},
]


class Kept(io.BytesIO):
    def close(self):
        self.bytes = self.getvalue()
        super().close()


def fixture():
    out = Kept()
    writer = RecordWriter(out)
    events = [Event(wall_time=SCALARS[0]["at"] / 1000, file_version="brain.Event:2")]
    for s in SCALARS:
        value = Summary.Value(tag=s["tag"], simple_value=s["value"])
        events.append(Event(wall_time=s["at"] / 1000, step=s["step"], summary=Summary(value=[value])))
    for event in events:
        writer.write(event.SerializeToString())
    writer.close()
    FIXTURE.write_text(json.dumps({"scalars": SCALARS, "base64": base64.b64encode(out.bytes).decode()}, indent=2) + "\n")


def read(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def check(root, journal):
    facts = [json.loads(line)["fact"] for line in Path(journal).read_text().splitlines()]
    fitness = facts[0]["experiment"]["fitness"]
    compared = 0

    def same(got, wanted):
        nonlocal compared
        assert [step for step, _ in got] == [step for step, _ in wanted], (got, wanted)
        for (_, g), (_, w) in zip(got, wanted):
            assert abs(g - w) <= 1e-6 * max(1, abs(w)), (g, w)
        compared += len(wanted)

    def curve(folder, fact, start):
        scalars = read(Path(root) / folder)
        for tag, key in (("loss/train", "trainLoss"), (f"accuracy/{fitness}", "accuracy")):
            wanted = [(start + r["epoch"], r[key]) for r in fact["curve"] if r[key] is not None]
            same(scalars.get(tag, []), wanted)

    alpha_epochs = 0
    for fact in facts:
        if fact["type"] == "alpha":
            alpha_epochs = len(fact["curve"])
            curve("alpha", fact, 0)
        if fact["type"] == "evaluated":
            again = f"-again-{fact['repeat']}" if fact["repeat"] else ""
            curve(f"individuals/{fact['mask']}{again}", fact, alpha_epochs)
    generations = [fact for fact in facts if fact["type"] == "generation"]
    search = read(Path(root) / "search")
    same(search["search/nabla"], [(g["t"], g["nabla"]) for g in generations])
    same(search["search/best"], [(g["t"], g["best"]["fitness"]) for g in generations])
    same(search["search/suppressed"], [(g["t"], len(g["suppressed"])) for g in generations])
    for fact in facts:
        if fact["type"] == "tested":
            folder = "alpha" if fact["which"] == "alpha" else "search"
            same(read(Path(root) / folder)[f"accuracy/test of {fact['which']}"], [(0, fact["accuracy"])])
    print(f"{compared} scalars as in the journal")


if sys.argv[1:] == ["fixture"]:
    fixture()
elif len(sys.argv) == 4 and sys.argv[1] == "check":
    check(*sys.argv[2:])
else:
    sys.exit(__doc__)
