"""scikit-learn's KMeans and MiniBatchKMeans, for ClusteringSpeed: for each line on standard input one clustering with
as many threads as are asked for, answered with processor and wall milliseconds, the inertia and the iterations. The
way "batches" takes all vectors once in batches and writes its centres to a file.
"""
import json
import sys
import time
import warnings

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from threadpoolctl import threadpool_limits

x = centers = None


def whole(request):
    """Some or all vectors, again and again until nothing moves."""
    init = centers if request["given"] else "k-means++"
    if request["sample"]:  # by hand what the library does by itself
        rows = np.random.RandomState(request["seed"]).choice(len(x), request["sample"], replace=False)
        some = KMeans(len(centers), n_init=3, algorithm=request["way"], random_state=request["seed"]).fit(x[rows])
        init = some.cluster_centers_
    return KMeans(
        len(centers), init=init, n_init=1, algorithm=request["way"], random_state=request["seed"]
    ).fit(x)


def batches(request):
    """All vectors once, from the given centres, none of which is given to another group."""
    kind = np.float64 if request["exact"] else x.dtype
    start = centers.astype(kind)
    found = MiniBatchKMeans(len(centers), init=start, n_init=1, reassignment_ratio=0, random_state=0)
    for begin in range(0, len(x), request["batch"]):
        found.partial_fit(x[begin:begin + request["batch"]].astype(kind, copy=False))
    return found


for line in sys.stdin:
    request = json.loads(line)
    if "file" in request:
        with np.load(request["file"]) as file:
            x, centers = file["features"], file["centers"]
        answer = {}
    else:
        way = batches if request["way"] == "batches" else whole
        with threadpool_limits(request["threads"]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wall, processor = time.perf_counter(), time.process_time()
            found = way(request)
            processor, wall = time.process_time() - processor, time.perf_counter() - wall
        answer = {"processor": processor * 1e3, "wall": wall * 1e3}
        if way is batches:
            np.savez(request["centers"], centers=found.cluster_centers_)
        else:
            answer.update(inertia=float(found.inertia_), iterations=int(found.n_iter_))
    print(json.dumps(answer), flush=True)
