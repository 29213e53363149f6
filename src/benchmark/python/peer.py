"""Runs passes of the benchmark in Python, one at a time, when a line on stdin asks for one.

Requests and answers are one JSON object a line:
  {"do": "load", "module", "file", "d", "c", "k", "t", "threads",
   "device", "configuration" of a shipped model}                  -> {"who": [names]}
  {"do": "results", "who", "file"}                                 -> {}       writes outputs and gradients
  {"do": "run", "who", "training"}                                 -> {"ms"}   one timed pass
  {"do": "peak", "who", "training"}                                -> {"mb"}   its most memory beyond what there was
For whole models "run" with training is a step with Adam, and "inputs" names the inputs that are meant.
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


class Torch:
    """Eager PyTorch and torch.compile, on the same module."""

    def __init__(self, request, arrays):
        import torch

        import modules

        self.torch, self.device = torch, request["device"]
        torch.set_num_threads(request["threads"])
        torch._dynamo.reset()
        x = arrays["features"]
        if request["module"] == "SlotAttention":
            module = modules.SlotAttention(x.shape[-1], request["d"], request["c"], request["t"])
        else:
            module = modules.StickBreaking(x.shape[-1], request["d"], request["k"])
        prefix = "parameters."
        module.load_state_dict(
            {k[len(prefix):]: torch.from_numpy(v) for k, v in arrays.items() if k.startswith(prefix)})
        module.to(self.device)
        self.inputs = [self.there(arrays[k]) for k in ("features", "conditioning")]
        self.loss_weights = [self.there(arrays["loss." + k]) for k in ("objects", "attributions")]
        self.leaves = {k: v for k, v in module.named_parameters()}
        self.leaves["features"] = self.inputs[0].requires_grad_()
        if request["module"] == "SlotAttention":
            self.leaves["conditioning"] = self.inputs[1].requires_grad_()
        self.ways = {"eager": module, "compile": torch.compile(module, dynamic=False)}

    def there(self, array):
        return self.torch.from_numpy(array).to(self.device)

    def inference(self, who):
        with self.torch.inference_mode():
            return self.ways[who](*self.inputs)

    def training(self, who):
        out = self.ways[who](*self.inputs)
        sum((o * w).sum() for o, w in zip(out, self.loss_weights)).backward()
        return out

    def run(self, who, training):
        (self.training if training else self.inference)(who)

    def results(self, who):
        for leaf in self.leaves.values():
            leaf.grad = None
        objects, attributions = self.inference(who)
        results = {"inference objects": objects, "inference attributions": attributions}
        results["objects"], results["attributions"] = self.training(who)
        for name, leaf in self.leaves.items():
            results["gradient of " + name] = leaf.grad
        return {k: v.detach().cpu().numpy() for k, v in results.items()}


class Whole:
    """A whole model (Models.java) in eager PyTorch and under torch.compile, each with weights of its own."""

    def __init__(self, request, arrays):
        import torch

        import models

        self.torch, self.device = torch, request["device"]
        torch.set_num_threads(request["threads"])
        torch._dynamo.reset()
        self.ways, self.models, self.optimizers = {}, {}, {}
        for who in ("eager", "compile"):
            model = models.Model(request["module"])
            prefix = "parameters."
            model.load_state_dict(
                {k[len(prefix):]: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith(prefix)})
            self.models[who] = model.to(self.device)
            self.ways[who] = torch.compile(model, dynamic=False) if who == "compile" else model
            self.optimizers[who] = torch.optim.Adam(model.parameters(), 1e-3)
        self.inputs = {}
        for name, array in arrays.items():
            if name.startswith("inputs."):
                _, kind, which = name.split(".")
                self.inputs.setdefault(kind, {})[which] = torch.from_numpy(array).to(self.device)

    def backward(self, who, inputs):
        seen = self.inputs[inputs]["seen"]
        made, slots = self.ways[who](seen, self.inputs[inputs]["slots"])
        (made - seen).square().mean().backward()
        return made, slots

    def run(self, who, training, inputs):
        if training:
            self.backward(who, inputs)
            self.optimizers[who].step()
            self.optimizers[who].zero_grad()
        else:
            with self.torch.inference_mode():
                self.ways[who](self.inputs[inputs]["seen"], self.inputs[inputs]["slots"])

    def results(self, who):
        made, slots = self.backward(who, "few")
        results = {"reconstruction": made, "objects": slots}
        for name, leaf in self.models[who].named_parameters():
            results["gradient of " + name] = leaf.grad
        results = {k: v.detach().cpu().numpy().copy() for k, v in results.items()}
        self.optimizers[who].zero_grad()
        return results


class Shipped:
    """Predictions of a trained model that comes with the library, in eager PyTorch and under torch.compile."""

    def __init__(self, request, arrays):
        import torch

        import shipped

        self.torch, self.device = torch, request["device"]
        torch.set_num_threads(request["threads"])
        torch._dynamo.reset()
        uniform = torch.from_numpy(arrays["uniform"]) if "uniform" in arrays else None
        model = shipped.Model(request["configuration"], uniform)
        prefix = "parameters."
        model.load_state_dict(
            {k[len(prefix):]: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith(prefix)})
        model.to(self.device)
        self.ways = {"eager": model.eval(), "compile": torch.compile(model, dynamic=False)}
        self.inputs = {
            k.split(".")[1]: torch.from_numpy(v).to(self.device) for k, v in arrays.items() if k.startswith("inputs.")}

    def run(self, who, training, inputs):
        with self.torch.inference_mode():
            return self.ways[who](self.inputs[inputs])

    def results(self, who):
        made, slots = self.run(who, False, "few")
        return {"reconstruction": made.cpu().numpy(), "objects": slots.cpu().numpy()}


class ScikitLearn:
    """KMeans image after image with one thread and with all, and (images) over images in processes; on the CPU."""

    device = "cpu"

    def __init__(self, request, arrays):
        self.features = arrays["features"]
        self.centers = arrays["conditioning"]
        self.k, self.starts, self.threads = request["k"], request["t"], request["threads"]
        self.seed = 0
        self.ways = {"sklearn-1": 1}
        if self.threads > 1:
            self.ways["sklearn"] = self.threads
            self.ways["sklearn-images"] = 1
        self.processes = None

    def run(self, who, training):
        from joblib import Parallel, delayed

        self.seed += 1
        seeds = [1000 * self.seed + i for i in range(len(self.features))]
        if who == "sklearn-images":
            if self.processes is None:
                self.processes = Parallel(n_jobs=self.threads)
            return np.array(self.processes(
                delayed(inertia)(x, self.k, self.starts, s, 1) for x, s in zip(self.features, seeds)))
        return np.array([
            inertia(x, self.k, self.starts, s, self.ways[who]) for x, s in zip(self.features, seeds)])

    def results(self, who):
        given = [inertia(x, self.k, 1, 0, self.ways[who], c) for x, c in zip(self.features, self.centers)]
        calls = -(-32 // len(self.features))
        drawn = np.concatenate([self.run(who, False) for _ in range(calls)])
        return {"given centres": np.array(given), "drawn centres": drawn}


def inertia(image, k, starts, seed, threads, centers="k-means++"):
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads):
        image = image / np.linalg.norm(image, axis=-1, keepdims=True)
        return KMeans(k, init=centers, n_init=starts, random_state=seed).fit(image).inertia_


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


def main():
    # Whatever libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    subject = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "load":
                with np.load(request["file"]) as file:
                    arrays = {k: file[k] for k in file.files}
                kinds = {"KMeans": ScikitLearn, "SlotAttention": Torch, "StickBreaking": Torch}
                whole = Shipped if request["module"].startswith("shipped-") else Whole
                subject = kinds.get(request["module"], whole)(request, arrays)
                answer["who"] = list(subject.ways)
            elif request["do"] == "results":
                np.savez(request["file"], **subject.results(request["who"]))
            else:
                given = [request["inputs"]] if "inputs" in request else []
                run = functools.partial(subject.run, request["who"], request["training"], *given)
                if request["do"] == "peak":
                    answer["mb"] = peak(subject.device, run)
                else:
                    wait(subject.device)
                    begin = time.perf_counter()
                    run()
                    wait(subject.device)
                    answer["ms"] = (time.perf_counter() - begin) * 1e3
        except Exception as e:  # told to the one who asked
            answer = {"error": f"{type(e).__name__}: {e}".strip().splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
