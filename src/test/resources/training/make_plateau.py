"""Makes plateau.json: what torch.optim.lr_scheduler.ReduceLROnPlateau does with given losses.

Run it in this folder with torch installed (made with torch 2.13.0, CPU). Its patience is one less
than ours: it counts the losses that it bears, not the one at which the rate falls.
"""

import json
import random

import torch


def case(seed, patience, factor, count=60):
    draws = random.Random(seed)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, patience=patience - 1, threshold=0.0, eps=0.0
    )
    losses, scales = [], []
    for i in range(count):
        # Falls, then wanders, with equal losses among them.
        losses.append(round(10 / (1 + min(i, 20)) + draws.choice([0, 0, 0.25, 0.5]), 3))
        scheduler.step(losses[-1])
        scales.append(optimizer.param_groups[0]["lr"])
    return {"patience": patience, "factor": factor, "losses": losses, "scales": scales}


cases = [case(1, 4, 0.5), case(2, 1, 0.5), case(3, 2, 0.1), case(4, 7, 0.9)]
with open("plateau.json", "w") as out:
    json.dump(cases, out)
    out.write("\n")
