/**
 * k-means on tensors: every set of a batch by itself, on CPUs and GPUs. It knows nothing of slots:
 * it clusters features, colours, or the slots of many images.
 *
 * <p>Letters in shapes: B sets (images), N vectors (features) of a set, F their size, K clusters, R
 * starts.
 *
 * <p>{@link org.slotwise.clustering.KMeans} is the entry. A start draws its centres ({@code
 * InitialCenters}) and runs Lloyd's iterations ({@code Lloyd}): on a CPU one by one, of few vectors
 * on a thread each ({@code ThreadedLloyd}, {@code LloydStart}), of many with bounds that leave most
 * distances out ({@code BoundedLloyd}, {@code BoundedStart}); elsewhere all together in matrix
 * products ({@code BatchedLloyd}).
 */
@NullMarked
package org.slotwise.clustering;

import org.jspecify.annotations.NullMarked;
