package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.slate.SlotChoice;

/** Slots of many pictures in libraries of like ones, from which prompts are drawn. */
final class SlotLibraries {

    private static final int STARTS = 8;

    private final List<List<SlotChoice>> libraries = new ArrayList<>();

    /**
     * Sorts slots by k-means.
     *
     * @param slots (B, K, E)
     * @param count how many libraries, at most B K
     */
    SlotLibraries(NDArray slots, int count) {
        Shape s = slots.getShape();
        KMeans kMeans =
                new KMeans(count, KMeansOptions.builder().optNInit(STARTS).optSeed(0).build());
        long[] labels = kMeans.cluster(slots.reshape(1, -1, s.get(2)), null).labels().toLongArray();
        for (int i = 0; i < count; i++) {
            libraries.add(new ArrayList<>());
        }
        int each = (int) s.get(1);
        for (int i = 0; i < labels.length; i++) {
            libraries.get((int) labels[i]).add(new SlotChoice(i / each, i % each));
        }
        libraries.removeIf(List::isEmpty);
    }

    /** How many slots each library has. */
    List<Integer> sizes() {
        return libraries.stream().map(List::size).toList();
    }

    /** A slot of each library. */
    List<SlotChoice> draw(Random random) {
        return libraries.stream()
                .map(library -> library.get(random.nextInt(library.size())))
                .toList();
    }
}
