"""Makes the reference tensors of this folder: python make_reference.py

Written for this project from the equations of soft k-means: values in NumPy, feature by feature and
slot by slot in float64, the same once more in PyTorch for the gradients. Hard assignments, to which a
low temperature leads, are held to scikit-learn. Needs NumPy, PyTorch and scikit-learn (made with
PyTorch 2.13, on a CPU). The files are laid out as those in ../reference, see the README there.
"""

import json
import math
import pathlib

import numpy as np
import torch
from sklearn.cluster import KMeans

HERE = pathlib.Path(__file__).parent


def temperature(config):
    dot = config.get("score") == "DOT_PRODUCT"
    return config.get("temperature", math.sqrt(config["size"]) if dot else 1.0)


def in_numpy(x, s, config, mask=None):
    """x (N, F), s (K, F), mask (K): the last s and a (K, N)."""
    n, k = len(x), len(s)
    s = s.copy()
    eps = config.get("eps", 1e-8)
    a = np.zeros((k, n))
    for _ in range(config.get("iterations", 3)):
        for j in range(n):
            score = np.zeros(k)
            for i in range(k):
                if config.get("score") == "DOT_PRODUCT":
                    score[i] = sum(s[i] * x[j])
                else:
                    score[i] = -sum((x[j] - s[i]) ** 2)
            logit = score / temperature(config)
            if mask is not None:
                logit[mask] = -np.inf
            e = np.exp(logit - logit.max())
            a[:, j] = e / e.sum()
        for i in range(k):
            w = a[i] + eps
            s[i] = sum(w[j] * x[j] for j in range(n)) / w.sum()
    return s, a


def in_torch(x, s, config, mask=None):
    eps = config.get("eps", 1e-8)
    for _ in range(config.get("iterations", 3)):
        if config.get("score") == "DOT_PRODUCT":
            score = s @ x.mT
        else:
            score = -((x[:, None] - s[:, :, None]) ** 2).sum(-1)
        logits = score / temperature(config)
        if mask is not None:
            logits = logits.masked_fill(mask[..., None], -math.inf)
        a = logits.softmax(1)
        w = a + eps
        s = (w / w.sum(-1, keepdim=True)) @ x
    return {"objects": s, "attributions": a}


def a_low_temperature_leads_to_lloyds_algorithm():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(m, 1, (40, 3)) for m in (0, 3, -4)])
    start = x[[0, 50, 100]]
    soft, a = in_numpy(x, start, {"temperature": 1e-6, "iterations": 30, "eps": 0})
    hard = KMeans(3, init=start, n_init=1, max_iter=30, tol=0).fit(x)
    np.testing.assert_allclose(soft, hard.cluster_centers_, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(a.argmax(0), hard.labels_)


def make(name, config, batch, features, slots, dtype, mask=None):
    torch.manual_seed(sum(map(ord, name)))
    f = config["size"]
    # Rounded first, so that all is of the same numbers in both types.
    x = torch.randn(batch, features, f).double().requires_grad_()
    s = torch.randn(batch, slots, f).double().requires_grad_()
    m = None if mask is None else torch.tensor(mask)
    out = in_torch(x, s, config, m)
    for b in range(batch):
        expected = in_numpy(
            x[b].detach().numpy(),
            s[b].detach().numpy(),
            config,
            None if m is None else m[b].numpy(),
        )
        for key, value in zip(("objects", "attributions"), expected):
            np.testing.assert_allclose(out[key][b].detach().numpy(), value, rtol=1e-9, atol=1e-12)
    arrays = {"in/features": x, "in/conditioning": s}
    loss = 0
    for key, value in out.items():
        cotangent = torch.randn(value.shape).double()
        arrays["out/" + key] = value
        arrays["cot/" + key] = cotangent
        loss = loss + (value * cotangent).sum()
    loss.backward()
    arrays["grad/in/features"] = x.grad
    arrays["grad/in/conditioning"] = s.grad
    arrays = {k: v.detach().to(dtype).numpy() for k, v in arrays.items()}
    if m is not None:
        arrays["in/slot_mask"] = m.numpy()
    np.savez_compressed(HERE / (name + ".npz"), **arrays)
    return {"name": name, "kind": "SoftKMeansGrouping", "config": config}


def main():
    a_low_temperature_leads_to_lloyds_algorithm()
    small = {"size": 5}
    dot = {**small, "score": "DOT_PRODUCT"}
    double = torch.float64
    mask = [[False, True, False], [False, False, True]]
    cases = [
        make("distances", small, 2, 12, 3, torch.float32),
        make("distances_float64", small, 2, 12, 3, double),
        make("one_iteration", {**small, "iterations": 1}, 2, 12, 3, double),
        make("warm", {**small, "temperature": 7.5}, 2, 12, 3, double),
        make("cold", {**small, "temperature": 0.3, "iterations": 5}, 2, 12, 3, double),
        make("large_eps", {**small, "eps": 0.1}, 2, 12, 3, double),
        make("more_slots_than_features", small, 1, 3, 6, double),
        make("masked", small, 2, 12, 3, double, mask),
        make("dot_product", dot, 2, 12, 3, double),
        make("dot_product_warm", {**dot, "temperature": 4.0}, 2, 12, 3, double),
        make("dot_product_masked", dot, 2, 12, 3, double, mask),
    ]
    (HERE / "cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


main()
