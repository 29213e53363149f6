package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.composition.LibraryOptions;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.slate.SlotChoice;

/** The slots of many pictures, found batch by batch. They lie in Java's memory, pictures do not. */
final class FoundSlots {

    private static final int BATCH = 64;

    /** From how many random starts the best clusters are kept. */
    private static final int STARTS = 8;

    private static final int SAMPLE = 10_000; // slots on which they run

    private static final int PLACE = 2;

    /** Of Java's memory slots may have such a part, with what is made of them. */
    private static final int PART = 3;

    private final int slots;
    private final int own;
    private final int dim;
    private final float[] told; // (N K, dim), as the denoiser gets them
    private final float[] places; // (N K, 2)
    private final float[] shares; // (N K), of the attention

    /** What is told how many pictures were looked at. */
    @FunctionalInterface
    interface Looked {
        void at(long pictures) throws IOException;
    }

    private FoundSlots(LatentSlotDiffusion model, int pictures) throws IOException {
        slots = model.madeFrom().discovery().slots();
        own = model.madeFrom().discovery().slotDim();
        dim = Math.toIntExact(model.madeFrom().slotDim());
        // Beside them, what looks the same is copied for the clusters.
        long each = (long) slots * (dim + PLACE + 1 + 2L * own) * Float.BYTES;
        long most = Runtime.getRuntime().maxMemory() / PART / each;
        if (pictures > Math.min(most, Integer.MAX_VALUE / ((long) slots * dim))) {
            throw new IOException(
                    "slots of "
                            + pictures
                            + " pictures do not fit into Java's memory, those of "
                            + most
                            + " do: take fewer, or give Java more by -Xmx");
        }
        told = new float[pictures * slots * dim];
        places = new float[pictures * slots * PLACE];
        shares = new float[pictures * slots];
    }

    /** Looks at all pictures. */
    static FoundSlots of(LatentSlotDiffusion model, Scenes scenes, Looked progress)
            throws IOException {
        int count = Math.toIntExact(scenes.size());
        FoundSlots found = new FoundSlots(model, count);
        for (int from = 0; from < count; from += BATCH) {
            int to = Math.min(count, from + BATCH);
            try (NDManager manager = NDManager.newBaseManager()) {
                ParameterStore store = new ParameterStore(manager, false);
                NDArray images =
                        SceneArrays.images(manager, scenes, LongStream.range(from, to).toArray());
                ObjectDiscoveryOutput seen = model.discovery().discover(store, images, false);
                NDArray positions =
                        Objects.requireNonNull(
                                seen.slotPositions(), "slots of this kind have them");
                put(found.told, from, model.slots(store, images, false).objects());
                put(found.places, from, positions);
                put(found.shares, from, seen.slots().attributions().mean(new int[] {2}));
            }
            progress.at(to);
        }
        return found;
    }

    private static void put(float[] all, int picture, NDArray some) {
        float[] values = some.toFloatArray();
        int each = (int) (values.length / some.getShape().get(0));
        System.arraycopy(values, 0, all, picture * each, values.length);
    }

    int pictures() {
        return shares.length / slots;
    }

    int slotsOfEach() {
        return slots;
    }

    /** Clusters of what looks alike, wherever it is. */
    SlotLibrary library() {
        try (NDManager manager = NDManager.newBaseManager()) {
            float[] looks = new float[shares.length * own];
            for (int row = 0; row < shares.length; row++) {
                System.arraycopy(told, row * dim, looks, row * own, own);
            }
            return SlotLibrary.of(
                    manager.create(looks, new Shape(pictures(), slots, own)),
                    manager.create(shares, new Shape(pictures(), slots)),
                    LibraryOptions.builder()
                            .optClustering(
                                    KMeansOptions.builder()
                                            .optNInit(STARTS)
                                            .optSample(SAMPLE)
                                            .optSeed(0)
                                            .build())
                            .build());
        }
    }

    /** Slots (B, K', D) as the denoiser gets them; as many in each composition. */
    NDArray told(NDManager manager, List<List<SlotChoice>> compositions) {
        return rows(manager, compositions, dim, 0);
    }

    /** Slots (B, K', D + 2) as the decoder of the first stage gets them, with their places. */
    NDArray placed(NDManager manager, List<List<SlotChoice>> compositions) {
        return rows(manager, compositions, own, PLACE);
    }

    private NDArray rows(
            NDManager manager, List<List<SlotChoice>> compositions, int numbers, int place) {
        int each = compositions.get(0).size();
        int width = numbers + place;
        float[] values = new float[compositions.size() * each * width];
        int at = 0;
        for (List<SlotChoice> composition : compositions) {
            if (composition.size() != each) {
                throw new IllegalArgumentException("compositions of different numbers of slots");
            }
            for (SlotChoice one : composition) {
                int row = one.picture() * slots + one.slot();
                System.arraycopy(told, row * dim, values, at, numbers);
                System.arraycopy(places, row * PLACE, values, at + numbers, place);
                at += width;
            }
        }
        return manager.create(values, new Shape(compositions.size(), each, width));
    }
}
