"""Makes passes of a benchmark in Python, one at a time, when a line on stdin asks for one.

Requests and answers are one JSON object a line:
  {"do": "load", "file", "threads", "device", ...}  -> {"who": [names]}
  {"do": "results", "who", "file"}                  -> {}      writes outputs and gradients
  {"do": "run", "who", "training"}                  -> {"ms"}  one timed pass
  {"do": "peak", "who", "training"}                 -> {"mb"}  its most memory beyond what there was
"inputs" in the last two names the inputs that are meant, where there are several.
An answer with "error" says what went wrong.
"""
import functools
import json
import os
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")


def begin(request):
    """PyTorch, set for a subject that begins."""
    import torch

    torch.set_num_threads(request["threads"])
    torch._dynamo.reset()
    return torch


def compiled(function):
    """What torch.compile makes of it, when it is called for the first time."""
    import torch

    return torch.compile(function, dynamic=False)


def graphs():
    """How many graphs torch.compile has compiled in this process."""
    if "torch" not in sys.modules:
        return 0
    from torch._dynamo.utils import counters

    return counters["stats"]["unique_graphs"]


def tensors(arrays, prefix):
    """The arrays whose names begin so, under the rest of their names, as tensors of their own."""
    import torch

    return {k[len(prefix):]: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith(prefix)}


def resident(entry, reset):
    """Megabytes of an entry of /proc/self/status; with reset the most so far is forgotten."""
    import gc

    gc.collect()
    if reset:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(entry + ":"):
                return int(line.split()[1]) * 1024 / 1e6


def wait(device):
    """Until a GPU has done what it was asked to."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()


def awaken():
    """Wakes PyTorch's threads, if there are several, by an operation that is not timed: EngineThreads.java says why."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() > 1:
        square = torch.ones(256, 256)
        torch.mm(square, square)


def taken():
    """Megabytes of the GPU that are in use, those that the allocator keeps included."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return (total - free) / 1e6


def peak(device, run):
    """The most memory of a pass beyond what there was: of a GPU what the allocator got after it had given back all."""
    if device == "cpu":
        before = resident("VmRSS", True)
        run()
        return resident("VmHWM", False) - before
    import torch

    wait(device)
    torch.cuda.empty_cache()
    before = taken()
    run()
    wait(device)
    return taken() - before


class Passes:
    """Passes of one subject: its ways, its device, results(who) and run(who, training[, inputs])."""

    def __init__(self, subject):
        self.subject, self.seen = subject, set()
        self.clock = getattr(subject, "clock", time.perf_counter)

    def answer(self, request):
        who, given = request["who"], (request["training"], *([request["inputs"]] if "inputs" in request else []))
        run = functools.partial(self.subject.run, who, *given)
        before = graphs()
        if request["do"] == "peak":
            answer = {"mb": peak(self.subject.device, run)}
        else:
            awaken()
            wait(self.subject.device)
            start = self.clock()
            run()
            wait(self.subject.device)
            answer = {"ms": (self.clock() - start) * 1e3}
        # The first of its kind may compile: it is one that is not counted.
        if graphs() > before and (who, *given) in self.seen:
            print(f"{who} was compiled anew within a pass, whose time is none", file=sys.stderr)
        self.seen.add((who, *given))
        return answer


def serve(load):
    """Answers until there are no more requests; load(request, arrays) makes a subject."""
    # Whatever libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    passes = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "load":
                with np.load(request["file"]) as file:
                    arrays = {k: file[k] for k in file.files}
                passes = Passes(load(request, arrays))
                answer["who"] = list(passes.subject.ways)
            elif request["do"] == "results":
                np.savez(request["file"], **passes.subject.results(request["who"]))
            else:
                answer = passes.answer(request)
        except Exception as e:  # told to the one who asked
            answer = {"error": f"{type(e).__name__}: {e}".strip().splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)
