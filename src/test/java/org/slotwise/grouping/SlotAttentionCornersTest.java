package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;

/**
 * Training in one call of the engine, beside operations one by one, where there is little or odd.
 */
@ExtendWith(OnDevice.class)
class SlotAttentionCornersTest {

    private static final int DIM = 4;
    private static final int FEATURE_DIM = 3;

    private static SlotAttention made(
            NDManager manager,
            DataType type,
            int times,
            double eps,
            boolean implicit,
            boolean one) {
        SlotAttention.Builder builder =
                SlotAttention.builder()
                        .setDim(DIM)
                        .setFeatureDim(FEATURE_DIM)
                        .optIterations(times)
                        .optEps(eps)
                        .optImplicitDifferentiation(implicit)
                        .optFeedForward(new FeedForward(DIM, 5));
        SlotAttention block = (one ? builder : builder.attendedBy(AttendedFeatures::of)).build();
        manager.getEngine().setRandomSeed(3);
        block.initialize(manager, type, new Shape(2, 5, FEATURE_DIM), new Shape(2, 3, DIM));
        int seed = 10;
        for (Parameter parameter : block.getParameters().values()) {
            NDArray value = parameter.getArray();
            value.addi(normal(manager, seed++, type, value.getShape().getShape()).mul(0.3f));
        }
        return block;
    }

    /** Of features, start and all parameters that are not frozen. */
    private static NDList gradients(
            SlotAttention block, NDArray features, NDArray start, NDArray mask) {
        NDArray x = features.duplicate();
        NDArray s = start.duplicate();
        x.setRequiresGradient(true);
        s.setRequiresGradient(true);
        NDList all = new NDList();
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            PerceptualGroupingOutput out =
                    block.group(
                            new ParameterStore(x.getManager(), false),
                            new FeatureExtractorOutput(x),
                            s,
                            mask,
                            true);
            all.add(out.objects().duplicate());
            all.add(out.attributions().duplicate());
            collector.backward(loss(out));
        }
        all.add(x.getGradient());
        all.add(s.getGradient());
        for (Parameter parameter : block.getParameters().values()) {
            if (parameter.getArray().hasGradient()) {
                all.add(parameter.getArray().getGradient());
            }
        }
        return all;
    }

    private static NDArray loss(PerceptualGroupingOutput out) {
        NDArray o = out.objects();
        NDArray a = out.attributions();
        NDManager m = o.getManager();
        return o.mul(normal(m, 5, o.getDataType(), o.getShape().getShape()))
                .sum()
                .add(a.mul(normal(m, 6, a.getDataType(), a.getShape().getShape())).sum());
    }

    /** By the largest number of all: some gradients are 0 but for rounding. */
    private static void assertAll(String what, NDList expected, NDList actual, double tolerance) {
        assertEquals(expected.size(), actual.size(), what);
        double largest = 0;
        for (NDArray array : expected) {
            largest = Math.max(largest, largest(array));
        }
        for (int i = 0; i < expected.size(); i++) {
            double off = largest(expected.get(i).sub(actual.get(i)));
            assertTrue(off <= tolerance * largest, what + ", " + i + ": " + off + " of " + largest);
        }
    }

    @Test
    void anyNumberOfImagesFeaturesSlotsAndIterations(NDManager manager) {
        for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
            double tolerance = type == DataType.FLOAT32 ? 1e-4 : 1e-12;
            for (long[] size :
                    new long[][] {{1, 1, 1}, {1, 2, 1}, {2, 1, 3}, {3, 7, 2}, {1, 40, 11}}) {
                for (int times : new int[] {1, 2, 5}) {
                    for (double eps : new double[] {1e-8, 0.3, 1}) {
                        for (boolean implicit : new boolean[] {false, true}) {
                            try (NDManager m = manager.newSubManager()) {
                                NDArray x = normal(m, 1, type, size[0], size[1], FEATURE_DIM);
                                NDArray s = normal(m, 2, type, size[0], size[2], DIM);
                                String what =
                                        type + " " + size[0] + " " + size[1] + " " + size[2] + " T "
                                                + times + " eps " + eps + " " + implicit;
                                assertAll(
                                        what,
                                        gradients(
                                                made(m, type, times, eps, implicit, false),
                                                x,
                                                s,
                                                null),
                                        gradients(
                                                made(m, type, times, eps, implicit, true),
                                                x,
                                                s,
                                                null),
                                        tolerance);
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void maskedSlotsAndImagesWithoutAny(NDManager manager) {
        for (double eps : new double[] {1e-8, 0}) {
            for (boolean implicit : new boolean[] {false, true}) {
                NDArray x = normal(manager, 1, DataType.FLOAT64, 3, 6, FEATURE_DIM);
                NDArray s = normal(manager, 2, DataType.FLOAT64, 3, 2, DIM);
                NDArray mask =
                        manager.create(new boolean[] {false, true, true, true, false, false})
                                .reshape(3, 2);
                assertAll(
                        "eps " + eps,
                        gradients(
                                made(manager, DataType.FLOAT64, 3, eps, implicit, false),
                                x,
                                s,
                                mask),
                        gradients(
                                made(manager, DataType.FLOAT64, 3, eps, implicit, true),
                                x,
                                s,
                                mask),
                        1e-12);
            }
        }
    }

    /** What is frozen gets no gradient; the others get theirs. */
    @Test
    void frozenParameters(NDManager manager) {
        NDArray x = normal(manager, 1, DataType.FLOAT64, 2, 6, FEATURE_DIM);
        NDArray s = normal(manager, 2, DataType.FLOAT64, 2, 3, DIM);
        for (int which = 0; which < 3; which++) {
            List<NDList> both = new ArrayList<>();
            for (boolean one : new boolean[] {false, true}) {
                SlotAttention block = made(manager, DataType.FLOAT64, 3, 1e-8, false, one);
                int i = 0;
                for (Parameter parameter : block.getParameters().values()) {
                    if (i++ % 3 == which) {
                        parameter.freeze(true);
                    }
                }
                both.add(gradients(block, x, s, null));
            }
            assertAll("frozen " + which, both.get(0), both.get(1), 1e-12);
        }
    }

    /** Slots of one call are the start of the next, with the same weights, in one graph. */
    @Test
    void twiceInOneGraphAndGarbageInBetween(NDManager manager) {
        List<NDList> both = new ArrayList<>();
        for (boolean one : new boolean[] {false, true}) {
            SlotAttention block = made(manager, DataType.FLOAT64, 3, 1e-8, false, one);
            ParameterStore store = new ParameterStore(manager, false);
            NDArray x = normal(manager, 1, DataType.FLOAT64, 2, 6, FEATURE_DIM);
            NDArray s = normal(manager, 2, DataType.FLOAT64, 2, 3, DIM);
            x.setRequiresGradient(true);
            NDList all = new NDList();
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray first =
                        block.group(store, new FeatureExtractorOutput(x), s, true).objects();
                System.gc();
                // Inference in between, of other images, leaves the graph alone.
                block.group(store, new FeatureExtractorOutput(x.mul(2)), s, false);
                PerceptualGroupingOutput second =
                        block.group(store, new FeatureExtractorOutput(x), first, true);
                System.gc();
                NDArray loss = loss(second);
                collector.backward(loss);
            }
            all.add(x.getGradient().duplicate());
            block.getParameters()
                    .values()
                    .forEach(p -> all.add(p.getArray().getGradient().duplicate()));
            both.add(all);
        }
        assertAll("twice", both.get(0), both.get(1), 1e-12);
    }

    /** Parameters alone are learnt: features and start have no gradient. */
    @Test
    void neitherFeaturesNorStartHaveGradients(NDManager manager) {
        SlotAttention block = made(manager, DataType.FLOAT32, 3, 1e-8, false, true);
        NDArray x = normal(manager, 1, 2, 6, FEATURE_DIM);
        NDArray s = normal(manager, 2, 2, 3, DIM);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            collector.backward(
                    loss(
                            block.group(
                                    new ParameterStore(manager, false),
                                    new FeatureExtractorOutput(x),
                                    s,
                                    true)));
        }
        block.getParameters().values().forEach(p -> assertNotNull(p.getArray().getGradient()));
        assertFalse(x.hasGradient());
    }
}
