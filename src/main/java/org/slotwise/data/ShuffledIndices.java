package org.slotwise.data;

import ai.djl.training.dataset.RandomAccessDataset;
import ai.djl.training.dataset.Sampler;
import java.util.Arrays;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * All indices in an order that depends on a seed and on how many times the data set was gone
 * through. DJL's RandomSampler has no seed of its own, and draws cyclic permutations only.
 */
final class ShuffledIndices implements Sampler.SubSampler {

    private final long seed;
    private final AtomicLong epochs = new AtomicLong();

    ShuffledIndices(long seed) {
        this.seed = seed;
    }

    @Override
    public Iterator<Long> sample(RandomAccessDataset dataset) {
        SplitMix random = new SplitMix(seed, epochs.getAndIncrement());
        long size = dataset.size();
        Check.option(
                size < Integer.MAX_VALUE,
                "SceneDataset: too many scenes to shuffle, " + size + "; take a range of them");
        long[] order = LongStream.range(0, size).toArray();
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.below(i + 1);
            long swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return Arrays.stream(order).iterator();
    }
}
