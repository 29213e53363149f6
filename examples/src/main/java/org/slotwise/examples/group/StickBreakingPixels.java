package org.slotwise.examples.group;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Random;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.StickBreakingGrouping;

/**
 * Pixels grouped by stick-breaking, without any training.
 *
 * <p>The block compares the directions of features, after a linear map that it normally learns; a
 * map of random numbers would mix colour and place at random. Here the map is the identity, and a
 * pixel's features f become (f - mean, 1). The directions of two such vectors differ by about as
 * much as the features did, so that the kernel's variance is the square of a distance between
 * {@link PixelFeatures}.
 */
final class StickBreakingPixels implements PixelGrouping {

    /** How far a slot reaches from the pixel that it starts from, in units of 100 of CIELAB. */
    private static final double REACH = 0.25;

    @Override
    public NDArray group(FeatureExtractorOutput pixels, int slots, int seed) {
        NDArray x = pixels.features();
        NDManager manager = x.getManager();
        long n = x.getShape().get(1);
        NDArray centred = x.sub(x.mean(new int[] {1}, true));
        NDArray directed =
                NDArrays.concat(new NDList(centred, manager.ones(new Shape(1, n, 1))), 2);
        int size = PixelFeatures.SIZE + 1;
        StickBreakingGrouping grouping =
                StickBreakingGrouping.builder()
                        .setFeatureDim(size)
                        .setObjectDim(size)
                        .setSlots(slots)
                        .optKernelVar(REACH * REACH)
                        .build();
        grouping.setInitializer((m, shape, type) -> m.eye(size), "in_proj.weight");
        grouping.initialize(manager, DataType.FLOAT32, directed.getShape());
        return grouping.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(directed, pixels.positions()),
                        uniform(manager, n, seed),
                        false)
                .attributions();
    }

    /** Draws from [0, 1) that are the same on every device, (1, N). */
    private static NDArray uniform(NDManager manager, long n, int seed) {
        float[] draws = new float[(int) n];
        Random random = new Random(seed);
        for (int i = 0; i < draws.length; i++) {
            draws[i] = random.nextFloat();
        }
        return manager.create(draws, new Shape(1, n));
    }
}
