"""Makes adam.json: what torch.optim.Adam and AdamW do with given gradients, and clip_grad_norm_.

Run it in this folder with torch installed (made with torch 2.13.0, CPU). Numbers are float64 unless
a case says float32; Python writes them such that they are read back exactly.
"""

import json

import torch


def adam_case(name, kind, dtype, options, scale, steps=6, rates=None):
    generator = torch.Generator().manual_seed(len(name))
    draw = lambda: torch.randn(3, 2, generator=generator, dtype=torch.float64).to(dtype)
    weight = torch.nn.Parameter(draw())
    start = weight.detach().flatten().tolist()
    optimizer = getattr(torch.optim, kind)([weight], **options)
    gradients, weights = [], []
    for step in range(steps):
        if rates:
            optimizer.param_groups[0]["lr"] = rates[step]
        weight.grad = draw() * scale
        gradients.append(weight.grad.flatten().tolist())
        optimizer.step()
        weights.append(weight.detach().flatten().tolist())
    state = optimizer.state[weight]
    return {
        "name": name,
        "decoupled": kind == "AdamW",
        "dtype": str(dtype).split(".")[1],
        "options": options,
        "rates": rates or [options["lr"]] * steps,
        "start": start,
        "gradients": gradients,
        "weights": weights,
        "exp_avg": state["exp_avg"].flatten().tolist(),
        "exp_avg_sq": state["exp_avg_sq"].flatten().tolist(),
    }


def clip_case(name, bound, scale):
    generator = torch.Generator().manual_seed(3)
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in [(2, 3), (4,), ()]]
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator) * scale
    before = [p.grad.flatten().tolist() for p in parameters]
    norm = torch.nn.utils.clip_grad_norm_(parameters, bound)
    after = [p.grad.flatten().tolist() for p in parameters]
    return {
        "name": name,
        "bound": bound,
        "shapes": [list(p.shape) for p in parameters],
        "before": before,
        "after": after,
        "norm": norm.item(),
    }


def main():
    f32, f64 = torch.float32, torch.float64
    adam = [
        adam_case("default", "Adam", f64, {"lr": 1e-3}, 1),
        adam_case("float32", "Adam", f32, {"lr": 4e-4}, 1),
        adam_case("small gradients", "Adam", f64, {"lr": 0.1}, 1e-7),
        adam_case("small gradients float32", "Adam", f32, {"lr": 0.1}, 1e-8),
        adam_case("tiny gradients", "Adam", f64, {"lr": 0.1}, 1e-12),
        adam_case("large gradients", "Adam", f32, {"lr": 0.1}, 1e6),
        adam_case("betas", "Adam", f64, {"lr": 0.01, "betas": (0.8, 0.9)}, 1),
        adam_case("no memory", "Adam", f64, {"lr": 0.01, "betas": (0.0, 0.0)}, 1),
        adam_case("eps", "Adam", f64, {"lr": 0.01, "eps": 0.1}, 1),
        adam_case("weight decay", "Adam", f64, {"lr": 0.01, "weight_decay": 0.3}, 1),
        adam_case("decoupled", "AdamW", f64, {"lr": 0.01, "weight_decay": 0.3}, 1),
        adam_case("decoupled float32", "AdamW", f32, {"lr": 0.01, "weight_decay": 0.01}, 1),
        adam_case("rates", "Adam", f64, {"lr": 1.0}, 1, rates=[1e-4, 2e-4, 3e-4, 0.0, 1e-3, 1e-5]),
        adam_case("long", "Adam", f64, {"lr": 1e-3}, 1, steps=40),
    ]
    clip = [
        clip_case("clipped", 0.05, 1),
        clip_case("barely clipped", 2.5, 1),
        clip_case("left alone", 100.0, 1),
        clip_case("small", 0.05, 1e-9),
        clip_case("large", 1.0, 1e8),
    ]
    with open("adam.json", "w") as file:
        json.dump({"adam": adam, "clip": clip}, file, indent=1)
        file.write("\n")


main()
