package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** One parameter's moments as they were saved, and the number of its updates. */
record SavedMoments(List<NDArray> arrays, int steps) {}
