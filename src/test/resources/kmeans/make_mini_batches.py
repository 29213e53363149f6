"""Makes mini_batches.npz: python src/test/resources/kmeans/make_mini_batches.py

scikit-learn's MiniBatchKMeans from given centres, batch after batch (partial_fit, no reassignment);
made with scikit-learn 1.9.1 and numpy 2.4.6.
"""

import pathlib

import numpy as np
from sklearn.cluster import MiniBatchKMeans

rng = np.random.default_rng(11)
means = rng.normal(size=(4, 5))
batches = [(means[rng.integers(0, 4, n)] + 0.4 * rng.normal(size=(n, 5))) for n in (40, 7, 90)]
initial = means + rng.normal(size=means.shape)
model = MiniBatchKMeans(4, init=initial, n_init=1, reassignment_ratio=0.0, random_state=0)
arrays = {"initial": initial}
for i, batch in enumerate(batches):
    model.partial_fit(batch)
    arrays[f"batch{i}"] = batch
    arrays[f"centers{i}"] = model.cluster_centers_.copy()
    arrays[f"counts{i}"] = model._counts.copy()
arrays["labels"] = model.predict(batches[0]).astype(np.int64)
np.savez_compressed(pathlib.Path(__file__).parent / "mini_batches.npz", **arrays)
