"""Makes segmentations.json: random label maps with their scores.

ARI is scikit-learn's adjusted_rand_score; the overlaps are counted pixel by pixel here, matched by
SciPy's linear_sum_assignment. Run it in this folder with numpy, scipy and scikit-learn installed
(made with scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6).
"""

import json

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score


def scores(truth, predicted):
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    foreground = truth != 0
    result = {"ARI": adjusted_rand_score(truth, predicted)}
    result["FG-ARI"] = (
        adjusted_rand_score(truth[foreground], predicted[foreground]) if foreground.any() else None
    )
    for suffix, first in (("", 1), ("-all", 0)):
        objects = [i for i in range(first, truth.max() + 1) if (truth == i).any()]
        if not objects:
            result["mBO" + suffix] = result["mIoU" + suffix] = None
            continue
        groups = range(predicted.max() + 1)
        iou = np.array(
            [
                [
                    np.sum((truth == i) & (predicted == j)) / np.sum((truth == i) | (predicted == j))
                    for j in groups
                ]
                for i in objects
            ]
        )
        rows, columns = linear_sum_assignment(-iou)
        result["mBO" + suffix] = float(iou.max(axis=1).mean())
        result["mIoU" + suffix] = float(iou[rows, columns].sum() / len(objects))
    return result


def main():
    rng = np.random.default_rng(20)
    cases = []
    for pixels, true_groups, predicted_groups, noise in [
        (12, 3, 3, 0.2),
        (12, 4, 2, 0.3),
        (30, 2, 6, 0.3),
        (64, 5, 5, 0.0),
        (64, 5, 7, 0.1),
        (64, 5, 4, 0.5),
        (64, 7, 7, 1.0),
        (100, 11, 3, 0.3),
        (100, 3, 11, 0.3),
        (1, 1, 1, 0.0),
        (2, 2, 2, 0.0),
        (5, 6, 6, 1.0),
        (9, 1, 1, 0.0),
        (9, 1, 4, 1.0),
        (9, 4, 1, 0.0),
        (1225, 4, 4, 0.3),
    ]:
        truth = rng.integers(true_groups, size=pixels)
        predicted = rng.permutation(max(true_groups, predicted_groups))[truth] % predicted_groups
        random = rng.random(pixels) < noise
        predicted = np.where(random, rng.integers(predicted_groups, size=pixels), predicted)
        cases.append((truth.tolist(), predicted.tolist()))
    # By hand: an image without objects, and one object found whole.
    cases.append(([0, 0, 0, 0], [0, 1, 1, 2]))
    cases.append(([0, 0, 1, 1], [0, 1, 2, 2]))
    with open("segmentations.json", "w") as file:
        file.write("[\n")
        file.write(
            ",\n".join(
                json.dumps({"truth": t, "predicted": p, "scores": scores(t, p)}) for t, p in cases
            )
        )
        file.write("\n]\n")


main()
