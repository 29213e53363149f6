/**
 * k-means on tensors: every set of a batch by itself, on CPUs and GPUs. It knows nothing of slots:
 * it clusters features, colours, or the slots of many images.
 *
 * <p>Letters in shapes: B sets (images), N vectors (features) of a set, F their size, K clusters, R
 * starts.
 *
 * <p>{@link org.slotwise.clustering.KMeans} is the entry. A start draws its centres ({@code
 * InitialCenters}) and runs Lloyd's iterations ({@code Lloyd}): one by one on a CPU's threads
 * ({@code ThreadedLloyd}, {@code LloydStart}) or all together in matrix products ({@code
 * BatchedLloyd}).
 */
@NullMarked
package org.slotwise.clustering;

import org.jspecify.annotations.NullMarked;
