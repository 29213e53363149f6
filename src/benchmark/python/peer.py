"""Modules and whole models in Python, for Speed and Models: PyTorch, eager and compiled, and scikit-learn.

A request to load has "module", and of a module the sizes "d", "c", "k", "t", of a shipped model its
"configuration", and for whole models "predicted" and "trained" name the inputs of what is compared. There "run"
with training is a step with Adam.
"""
import numpy as np

import serving


class Torch:
    """Eager PyTorch and torch.compile, on the same module."""

    def __init__(self, request, arrays):
        import modules

        self.torch, self.device = serving.begin(request), request["device"]
        x = arrays["features"]
        if request["module"] == "SlotAttention":
            module = modules.SlotAttention(x.shape[-1], request["d"], request["c"], request["t"])
        else:
            module = modules.StickBreaking(x.shape[-1], request["d"], request["k"])
        module.load_state_dict(serving.tensors(arrays, "parameters."))
        module.to(self.device)
        self.inputs = [self.there(arrays[k]) for k in ("features", "conditioning")]
        self.loss_weights = [self.there(arrays["loss." + k]) for k in ("objects", "attributions")]
        self.leaves = {k: v for k, v in module.named_parameters()}
        self.leaves["features"] = self.inputs[0].requires_grad_()
        if request["module"] == "SlotAttention":
            self.leaves["conditioning"] = self.inputs[1].requires_grad_()
        self.ways = {"eager": module, "compile": serving.compiled(module)}

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
        self.torch, self.device = serving.begin(request), request["device"]
        self.compared = request.get("predicted"), request.get("trained")
        self.ways, self.learnt, self.optimizers = {}, {}, {}
        for who in ("eager", "compile"):
            model = self.model(request)
            model.load_state_dict(serving.tensors(arrays, "parameters."))
            model.to(self.device)
            self.ways[who] = serving.compiled(model) if who == "compile" else model
            self.learnt[who] = {k: v for k, v in model.named_parameters() if v.requires_grad}
            self.optimizers[who] = self.torch.optim.Adam(self.learnt[who].values(), 1e-3)
        self.inputs = {}
        for name, array in serving.tensors(arrays, "inputs.").items():
            kind, which = name.split(".")
            self.inputs.setdefault(kind, {})[which] = array.to(self.device)

    def model(self, request):
        import models

        return models.Model(request["module"])

    def forward(self, who, training, inputs):
        given = self.inputs[inputs]
        return self.ways[who](given["seen"], given["start"], training)

    def target(self, inputs):
        return self.inputs[inputs]["seen"]

    def backward(self, who, inputs):
        made, slots = self.forward(who, True, inputs)
        (made - self.target(inputs)).square().mean().backward()
        return made, slots

    def prediction(self, who, inputs):
        with self.torch.inference_mode():
            return self.forward(who, False, inputs)

    def run(self, who, training, inputs):
        if training:
            self.backward(who, inputs)
            self.optimizers[who].step()
            self.optimizers[who].zero_grad()
        else:
            self.prediction(who, inputs)

    def results(self, who):
        results = {}
        predicted, trained = self.compared
        if predicted:
            results["prediction reconstruction"], results["prediction objects"] = self.prediction(who, predicted)
        if trained:
            results["reconstruction"], results["objects"] = self.backward(who, trained)
            results |= {"gradient of " + k: leaf.grad for k, leaf in self.learnt[who].items()}
        results = {k: v.detach().cpu().numpy().copy() for k, v in results.items()}
        self.optimizers[who].zero_grad()
        return results


class Shipped(Whole):
    """A trained model that comes with the library; where a training draws, it is given the library's draws."""

    def __init__(self, request, arrays):
        super().__init__(request, arrays)
        self.stride = request["configuration"]["decoder"]["trainingStride"]
        self.pixels = {k: v.pop("pixels").tolist() for k, v in self.inputs.items() if "pixels" in v}

    def model(self, request):
        import shipped

        return shipped.Model(request["configuration"])

    def target(self, inputs):
        row, column = self.pixels[inputs]
        return super().target(inputs)[:, :, row::self.stride, column::self.stride]

    def forward(self, who, training, inputs):
        given = self.inputs[inputs]
        return self.ways[who](given["seen"], given["start"], self.pixels[inputs] if training else None)


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


def load(request, arrays):
    kinds = {"KMeans": ScikitLearn, "SlotAttention": Torch, "StickBreaking": Torch}
    whole = Shipped if request["module"].startswith("shipped-") else Whole
    return kinds.get(request["module"], whole)(request, arrays)


if __name__ == "__main__":
    serving.serve(load)
