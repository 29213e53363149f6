package org.slotwise.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.Random;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * The noise of one image, drawn once from a seed and the same for every image: what makes inference
 * repeatable, image by image.
 */
final class SettledNoise {

    private final double[] noise;
    private final Shape shape;

    /**
     * Draws noise.
     *
     * @param slots K
     * @param dim D
     * @param quasiRandom whether slots are spread evenly
     * @param seed which draw
     */
    SettledNoise(int slots, int dim, boolean quasiRandom, long seed) {
        shape = new Shape(1, slots, dim);
        RandomConditioning unit =
                RandomConditioning.builder()
                        .setDim(dim)
                        .setSlots(slots)
                        .optSeed(seed)
                        .optQuasiRandom(quasiRandom)
                        .build();
        // A mean of 0 and a deviation of exp(0): the noise itself.
        unit.setInitializer(Initializer.ZEROS, parameter -> true);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            unit.initialize(manager, DataType.FLOAT64, shape);
            ParameterStore store = new ParameterStore(manager, false);
            noise = Ops.read(unit.sample(store, manager, 1, slots, false).flatten());
        }
    }

    /** Uniform draws from [0, 1) for features (B, N, F), the same for each image: (B, N). */
    static NDArray uniform(NDArray features, long seed) {
        Shape shape = features.getShape();
        double[] one = uniform(Math.toIntExact(shape.get(1)), seed);
        return Scalars.of(
                        features.getManager(),
                        features.getDevice(),
                        one,
                        new Shape(1, one.length),
                        features.getDataType())
                .broadcast(shape.get(0), shape.get(1));
    }

    /** So many of these draws. */
    static double[] uniform(int count, long seed) {
        Random random = new Random(seed);
        double[] one = new double[count];
        for (int i = 0; i < one.length; i++) {
            one[i] = random.nextFloat();
        }
        return one;
    }

    /** The noise (B, K, D) for images of some type and place. */
    NDArray like(NDArray images) {
        NDArray one =
                Scalars.of(
                        images.getManager(),
                        images.getDevice(),
                        noise,
                        shape,
                        images.getDataType());
        return one.broadcast(images.getShape().get(0), shape.get(1), shape.get(2));
    }
}
