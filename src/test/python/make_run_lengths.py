"""Makes src/test/resources/image/run-lengths.json: masks with COCO's run lengths of them, by pycocotools 2.0.11 and
numpy 2.2.6.

    python src/test/python/make_run_lengths.py src/test/resources/image/run-lengths.json
"""

import json
import sys

import numpy as np
from pycocotools import mask as coco


def blobs(rng, height, width):
    """Smooth noise above its median: connected areas, as objects are."""
    noise = rng.standard_normal((height, width))
    for axis in (0, 1):
        for _ in range(6):
            noise = noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
    return noise > np.median(noise)


def uncompressed(mask):
    """The counts, down the columns, beginning with those of zeros."""
    flat = mask.flatten(order="F").astype(np.int8)
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return runs if flat[0] == 0 else [0] + runs


def case(mask):
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    counts = uncompressed(mask)
    again = coco.frPyObjects({"size": list(mask.shape), "counts": counts}, *mask.shape)
    assert again["counts"] == encoded["counts"]
    return {
        "size": list(mask.shape),
        "rows": ["".join("01"[int(v)] for v in row) for row in mask],
        "counts": counts,
        "compressed": encoded["counts"].decode("ascii"),
        "area": int(coco.area(encoded)),
        "bbox": [int(v) for v in coco.toBbox(encoded)],
    }


rng = np.random.default_rng(0)
masks = [
    np.zeros((1, 1), bool),
    np.ones((1, 1), bool),
    np.zeros((3, 5), bool),
    np.ones((5, 3), bool),
    rng.random((1, 40)) < 0.5,
    rng.random((40, 1)) < 0.5,
    rng.random((13, 17)) < 0.3,
    blobs(rng, 37, 53),
    blobs(rng, 64, 48),
]
far = np.zeros((40, 1200), bool)  # runs of tens of thousands, and differences below zero
far[5, 2] = far[39, 800] = far[0, 1199] = far[1, 1199] = True
masks.append(far)
with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump([case(mask) for mask in masks], out, indent=0)
    out.write("\n")
