"""scikit-learn's KMeans, for ClusteringSpeed: for each line on standard input one clustering with one
thread, answered with processor and wall milliseconds, the inertia and the iterations.
"""
import json
import sys
import time

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

x = centers = None
for line in sys.stdin:
    request = json.loads(line)
    if "file" in request:
        with np.load(request["file"]) as file:
            x, centers = file["features"], file["centers"]
        answer = {}
    else:
        init = centers if request["given"] else "k-means++"
        with threadpool_limits(1):
            wall, processor = time.perf_counter(), time.process_time()
            if request["sample"]:  # by hand what the library does by itself
                rows = np.random.RandomState(request["seed"]).choice(len(x), request["sample"], replace=False)
                some = KMeans(
                    len(centers), n_init=3, algorithm=request["way"], random_state=request["seed"]
                ).fit(x[rows])
                init = some.cluster_centers_
            found = KMeans(
                len(centers), init=init, n_init=1, algorithm=request["way"], random_state=request["seed"]
            ).fit(x)
            processor, wall = time.process_time() - processor, time.perf_counter() - wall
        answer = {
            "processor": processor * 1e3,
            "wall": wall * 1e3,
            "inertia": float(found.inertia_),
            "iterations": int(found.n_iter_),
        }
    print(json.dumps(answer), flush=True)
