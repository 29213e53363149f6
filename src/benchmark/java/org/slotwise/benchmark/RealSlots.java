package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import java.util.zip.CRC32;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.internal.PictureArrays;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.weights.StateDict;

/**
 * What a trained model that comes with the library finds in generated scenes, as a set of vectors:
 * the slots of the pictures one after the other. They are found once and kept in {@code target}.
 */
final class RealSlots {

    private static final int TOGETHER = 64;

    private RealSlots() {}

    /**
     * Slots, or reads them if they were found before.
     *
     * @param model "multi-dsprites" or "tetrominoes"
     * @param count how many slots
     * @return (count, D)
     */
    static NDArray of(NDManager manager, String model, int count) throws IOException {
        Path kept =
                Path.of("target", "slots-" + model + "-" + weights(model) + "-" + count + ".npz");
        if (!Files.exists(kept)) {
            Files.createDirectories(kept.getParent());
            try (NDManager own = manager.newSubManager()) {
                StateDict.of(Map.of("slots", find(own, model, count))).write(kept);
            }
        }
        try (StateDict read = StateDict.read(kept)) {
            NDArray slots = read.get("slots");
            return manager.create(slots.toFloatArray(), slots.getShape());
        }
    }

    /** A checksum of the model's weights: slots of another model are others. */
    private static String weights(String model) throws IOException {
        CRC32 sum = new CRC32();
        String name = model + ".safetensors";
        try (InputStream file = ObjectDiscoveryModel.class.getResourceAsStream(name)) {
            sum.update(Objects.requireNonNull(file, name).readAllBytes());
        }
        return Long.toHexString(sum.getValue());
    }

    private static NDArray find(NDManager manager, String name, int count) throws IOException {
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped(name)) {
            Scenes scenes =
                    name.equals("tetrominoes")
                            ? Tetrominoes.builder().setSize(count).build()
                            : MultiDSprites.builder().setSize(count).build();
            NDList found = new NDList();
            long slots = 0;
            for (long next = 0; slots < count; next += TOGETHER) {
                List<byte[]> images =
                        LongStream.range(next, next + TOGETHER)
                                .mapToObj(i -> scene(scenes, i))
                                .toList();
                try (NDManager pass = manager.newSubManager()) {
                    NDArray pictures =
                            PictureArrays.images(
                                            pass, images, model.imageHeight(), model.imageWidth())
                                    .toDevice(model.model().getNDManager().getDevice(), false);
                    NDArray objects =
                            model.block()
                                    .discover(new ParameterStore(pass, false), pictures, false)
                                    .slots()
                                    .objects()
                                    .toDevice(manager.getDevice(), false); // (64, K, D)
                    slots += objects.getShape().get(0) * objects.getShape().get(1);
                    objects.attach(manager);
                    found.add(objects);
                }
            }
            NDArray all = NDArrays.concat(found, 0);
            return all.reshape(-1, all.getShape().get(2)).get(":" + count).duplicate();
        }
    }

    private static byte[] scene(Scenes scenes, long index) {
        try {
            return scenes.get(index).image();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
