"""Makes features for KMeansTiming, and times scikit-learn on them.

    kmeans_timing.py make DIRECTORY              writes DIRECTORY/*.npy, (32, 784, 64) float32
    kmeans_timing.py time SLOTS STARTS CALLS FILE...

Set OMP_NUM_THREADS to choose scikit-learn's threads.
"""
import pathlib
import sys
import time
import warnings

import numpy as np


def make(directory):
    rng = np.random.RandomState(0)
    shape = (32, 784, 64)
    means = rng.standard_normal((32, 7, 64))
    which = rng.randint(0, 7, (32, 784, 1))
    for name, spread in (("noise", None), ("vague", 1.0), ("clear", 0.5), ("tight", 0.1)):
        x = rng.standard_normal(shape)
        if spread is not None:
            x = np.take_along_axis(means, which, 1) + spread * x
        x /= np.linalg.norm(x, axis=-1, keepdims=True)
        np.save(pathlib.Path(directory) / (name + ".npy"), x.astype(np.float32))


def measure(slots, starts, calls, files):
    from sklearn.cluster import KMeans

    warnings.simplefilter("ignore")
    for file in files:
        x = np.load(file)
        seconds, inertia = [], []
        for call in range(calls):
            begin = time.perf_counter()
            for i, image in enumerate(x):
                found = KMeans(slots, n_init=starts, random_state=1000 * call + i).fit(image)
                inertia.append(found.inertia_)
            seconds.append(time.perf_counter() - begin)
        print(f"{file}: least {min(seconds):.3f} s, median {np.median(seconds):.3f} s,"
              f" inertia {np.mean(inertia):.4f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        measure(*map(int, sys.argv[2:5]), sys.argv[5:])
