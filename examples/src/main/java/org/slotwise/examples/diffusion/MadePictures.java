package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneArrays;

/**
 * Pictures that are made when they are asked for, a batch at a time, of which the latest is kept:
 * ask in their order. They are bytes, as in a file.
 */
final class MadePictures implements Scenes {

    /** How many are made at once. */
    static final int BATCH = 32;

    private final long size;
    private final Maker maker;
    private List<Scene> batch = List.of();
    private long first = -1;

    /** Makes a batch of pictures. */
    @FunctionalInterface
    interface Maker {
        /**
         * Makes some.
         *
         * @param manager who owns what is made
         * @param from the first one, a multiple of the batch
         * @param to behind the last one, more by a batch, or less at the end
         * @return (to - from, 3, S, S) in [0, 1]
         */
        NDArray make(NDManager manager, long from, long to) throws IOException;
    }

    MadePictures(long size, Maker maker) {
        this.size = size;
        this.maker = maker;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public synchronized Scene get(long index) throws IOException {
        Objects.checkIndex(index, size);
        long from = index - index % BATCH;
        if (first != from) {
            try (NDManager manager = NDManager.newBaseManager()) {
                batch = SceneArrays.scenes(maker.make(manager, from, Math.min(size, from + BATCH)));
                first = from;
            }
        }
        return batch.get((int) (index - from));
    }
}
