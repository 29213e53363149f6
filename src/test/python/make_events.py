"""Makes src/test/resources/training/events.bin: what TensorBoard's own classes (tensorboard 2.21.0) write for the events of
TensorBoardEventsTest.

    python src/test/python/make_events.py src/test/resources/training/events.bin
"""

import sys

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

TIME = 1_000_000_000.125


def scalars(**values):
    return summary_pb2.Summary(
        value=[summary_pb2.Summary.Value(tag=tag.replace("__", "/"), simple_value=v) for tag, v in values.items()]
    )


with open(sys.argv[1], "wb") as out:
    records = RecordWriter(out)
    for event in [
        event_pb2.Event(wall_time=TIME, file_version="brain.Event:2"),
        event_pb2.Event(
            wall_time=TIME,
            step=201,
            session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START),
        ),
        event_pb2.Event(wall_time=TIME, step=250, summary=scalars(train__loss=0.1, norm=float("inf"))),
        event_pb2.Event(wall_time=TIME, step=1 << 40, summary=scalars(**{"Grüße": -3.0})),
    ]:
        records.write(event.SerializeToString())
    records.flush()
