"""Writes kmeans.npz: features, given centres, and what scikit-learn's KMeans makes of them.

For each case: features (B, N, F), centers (B, K, F), options [max_iter, tol, normalise], and the
results centers_out, labels (B, N), inertia (B), n_iter (B). Results that hang on the order of the
features, which scikit-learn leaves open in ties, are left out.

For the starts that KMeans draws itself: drawn/features (N, F) and for each init the mean and the
standard error, over 2000 seeds, of the inertia after one iteration from one start.

Made with scikit-learn 1.9.1; 1.6.1 gives the same (run with "check" to compare).
"""
import pathlib
import sys
import warnings

import numpy as np
from sklearn.cluster import KMeans

FILE = pathlib.Path(__file__).with_name("kmeans.npz")


def fit(x, centers, max_iter=300, tol=1e-4):
    return KMeans(len(centers), init=centers, n_init=1, max_iter=max_iter, tol=tol).fit(x)


def same_in_any_order(x, centers, max_iter, tol, rng):
    found = fit(x, centers, max_iter, tol)
    for _ in range(50):
        order = rng.permutation(len(x))
        other = fit(x[order], centers, max_iter, tol)
        if not (
            np.array_equal(found.labels_[order], other.labels_)
            and np.allclose(found.cluster_centers_, other.cluster_centers_, atol=1e-9)
            and found.n_iter_ == other.n_iter_
        ):
            return False
    return True


def case(name, x, centers, max_iter=300, tol=1e-4, normalise=False, any_order=False):
    rng = np.random.RandomState(1)
    x, centers = np.asarray(x), np.asarray(centers)
    y = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12) if normalise else x
    y = y.astype(x.dtype)
    if any_order:
        keep = [b for b in range(len(x)) if same_in_any_order(y[b], centers[b], max_iter, tol, rng)]
        x, y, centers = x[keep], y[keep], centers[keep]
    found = [fit(*image, max_iter, tol) for image in zip(y, centers)]
    emptied = sum(len(set(f.labels_)) < len(c) for f, c in zip(found, centers))
    unlike = sum((f.predict(image) != f.labels_).any() for f, image in zip(found, y))
    print(f"{name}: {len(x)} images, {emptied} with empty clusters at the end, "
          f"{unlike} with labels that the centres do not give, "
          f"{max(f.n_iter_ for f in found)} iterations at most")
    arrays = {
        "features": x,
        "centers": centers,
        "options": np.array([max_iter, tol, normalise], np.float64),
        "centers_out": np.stack([f.cluster_centers_ for f in found]),
        "labels": np.stack([f.labels_ for f in found]).astype(np.int64),
        "inertia": np.array([f.inertia_ for f in found], np.float64),
        "n_iter": np.array([f.n_iter_ for f in found], np.int64),
    }
    return {f"{name}/{key}": value for key, value in arrays.items()}


def normal(seed, *shape, dtype=np.float32):
    return np.random.RandomState(seed).standard_normal(shape).astype(dtype)


def grid(seed, values, *shape):
    return np.random.RandomState(seed).randint(0, values, shape).astype(np.float64)


def far(centers, which):
    """Moves centres so far away that they are nearest to nothing."""
    centers = centers.copy()
    for place, k in enumerate(which):
        centers[:, k] = 50 + place
    return centers


def features_of(x, which):
    return x[:, which].copy()


def cases():
    x = normal(0, 3, 60, 8)
    z = normal(1, 4, 64, 4, dtype=np.float64)
    result = {}
    for name, arguments in {
        "plain": (x, features_of(x, range(5))),
        "normalised": (3 * x, features_of(x, range(5)), 300, 1e-4, True),
        "float64": (z, features_of(z, range(6))),
        "two_iterations": (x, features_of(x, range(5)), 2),
        "large_tol": (x, features_of(x, range(5)), 300, 0.5),
        "zero_tol": (z, features_of(z, range(6)), 300, 0.0),
        "one_emptied": (x, far(features_of(x, range(5)), [2])),
        "two_emptied": (x, far(features_of(x, range(5)), [0, 3])),
        "three_emptied": (x, far(features_of(x, range(5)), [0, 1, 4])),
        "all_but_one_emptied": (z, far(features_of(z, range(6)), [0, 1, 2, 4, 5])),
        "emptied_last_iteration": (x, far(features_of(x, range(5)), [2]), 1),
        "same_centers": (z, features_of(z, [0, 0, 0, 1])),
        "as_many_clusters_as_features": (z[:, :6], features_of(z, range(6))),
        "as_many_clusters_as_features_emptied": (z[:, :6], far(features_of(z, range(6)), [1])),
        "one_cluster": (z, features_of(z, [3])),
        "one_feature": (z[:, :1], features_of(z, [2])),
        "all_the_same": (np.ones((2, 8, 3)), far(np.ones((2, 4, 3)), [1])),
        "all_zero": (np.zeros((2, 8, 3)), np.zeros((2, 4, 3)), 300, 1e-4, True),
        # The largest cluster comes before the empty one, and after it.
        "fewer_features_than_clusters": (
            [[[0.0, 1]] * 6 + [[4.0, 1]] * 2, [[0.0, 1]] * 2 + [[4.0, 1]] * 6],
            [[[0.0, 1], [9, 9], [4, 1]]] * 2,
        ),
        # A cluster's only feature is the farthest and is taken away from it.
        "robbed_of_its_only_feature": (
            [[[0.0], [0.25], [0.5], [0.75], [1.0], [1.25], [1.5], [12.75]]],
            [[[0.5], [20.0], [100.0]]],
        ),
    }.items():
        result |= case(name, *arguments)
    # Many features alike, ties between centres, clusters emptied again and again.
    for name, x, c in (
        ("few_values", grid(2, 3, 150, 16, 2), grid(3, 4, 150, 5, 2)),
        ("fewer_values", grid(4, 2, 150, 16, 2), grid(5, 3, 150, 6, 2)),
        ("in_a_line", grid(6, 6, 150, 8, 1), grid(7, 9, 150, 4, 1)),
        ("pairs", np.repeat(grid(8, 40, 150, 8, 2), 2, axis=1), grid(9, 40, 150, 7, 2)),
    ):
        result |= case(name, x, c, any_order=True)
    return result


def drawn():
    """Clusters of very different sizes, where it matters how starts are drawn."""
    rng = np.random.RandomState(10)
    sizes = [60, 25, 10, 5, 3, 1]
    x = np.concatenate([10 * rng.standard_normal(3) + rng.standard_normal((n, 3)) for n in sizes])
    result = {"drawn/features": x}
    for init in ("k-means++", "random"):
        inertia = [
            KMeans(6, init=init, n_init=1, max_iter=1, random_state=seed).fit(x).inertia_
            for seed in range(2000)
        ]
        result[f"drawn/{init}"] = np.array([np.mean(inertia), np.std(inertia) / 2000**0.5])
    return result


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    arrays = cases() | drawn()
    if sys.argv[1:] == ["check"]:
        stored = np.load(FILE)
        assert sorted(stored.files) == sorted(arrays)
        for key in stored.files:
            np.testing.assert_allclose(arrays[key], stored[key], rtol=1e-5, atol=1e-6, err_msg=key)
    else:
        np.savez_compressed(FILE, **arrays)
