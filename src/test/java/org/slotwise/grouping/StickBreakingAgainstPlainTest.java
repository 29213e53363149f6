package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/**
 * {@link StickBreakingGrouping}, which takes distances from inner products, beside {@link
 * PlainStickBreaking}, which takes differences.
 */
@ExtendWith(OnDevice.class)
class StickBreakingAgainstPlainTest {

    private static final int K = 5;
    private static final double EPS = 1e-8;

    private static StickBreakingGrouping block(
            NDManager manager, DataType type, int featureDim, double kernelVar, double eps) {
        manager.getEngine().setRandomSeed(11);
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setObjectDim(4)
                        .setFeatureDim(featureDim)
                        .setSlots(K)
                        .optKernelVar(kernelVar)
                        .optLearnKernelVar(true)
                        .optEps(eps)
                        .build();
        block.initialize(manager, type, new Shape(-1));
        return block;
    }

    private static NDList run(StickBreakingGrouping block, NDArray x, NDArray u, boolean training) {
        PerceptualGroupingOutput out =
                block.group(
                        new ParameterStore(x.getManager(), false),
                        new FeatureExtractorOutput(x),
                        u,
                        training);
        return new NDList(out.objects(), out.attributions());
    }

    private static Map<String, NDArray> gradients(
            StickBreakingGrouping block, NDArray x, Supplier<NDList> forward) {
        NDManager manager = x.getManager();
        Map<String, NDArray> leaves = new LinkedHashMap<>(ReferenceCase.parameters(block));
        leaves.put("features", x);
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray loss = manager.zeros(new Shape(), x.getDataType());
            for (NDArray out : forward.get()) {
                long[] shape = out.getShape().getShape();
                NDArray cotangent = Tensors.normal(manager, 9, x.getDataType(), shape);
                loss = loss.add(out.mul(cotangent).sum());
            }
            collector.backward(loss);
        }
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        leaves.forEach(
                (name, leaf) -> {
                    NDArray g = leaf.getGradient();
                    gradients.put(name, g.duplicate());
                    g.subi(gradients.get(name)); // they add up from run to run
                });
        return gradients;
    }

    /** The error of a squared distance is about 1e-6 in float32, and kernel_var divides it. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1e-8",
        "2, 1, 1e-8",
        "3, 0.25, 1e-8",
        "16, 1, 1e-8",
        "16, 0.25, 0.05",
        "64, 0.25, 1e-8",
        "64, 0.05, 1e-8",
        "300, 1, 1e-8",
        "768, 1, 0.05"
    })
    void agree(int featureDim, double kernelVar, double eps, NDManager manager) {
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT64}) {
            boolean exact = type == DataType.FLOAT64;
            double tolerance = exact ? 1e-12 : Math.max(1e-5, 2e-6 / kernelVar);
            StickBreakingGrouping block = block(manager, type, featureDim, kernelVar, eps);
            NDArray x = Tensors.normal(manager, 1, type, 3, 50, featureDim);
            NDArray u = Tensors.uniform(manager, 2, type, 3, 50);
            NDList plain = PlainStickBreaking.run(block, x, u, K, eps);
            for (boolean training : new boolean[] {false, true}) {
                NDList fast = run(block, x, u, training);
                assertClose("objects", plain.get(0), fast.get(0), tolerance);
                assertClose("masks", plain.get(1), fast.get(1), tolerance);
            }
            Map<String, NDArray> expected =
                    gradients(block, x, () -> PlainStickBreaking.run(block, x, u, K, eps));
            Map<String, NDArray> got = gradients(block, x, () -> run(block, x, u, true));
            // The gradient of in_proj.bias, for one, vanishes where features have one element.
            double leastScale =
                    0.01 * expected.values().stream().mapToDouble(Tensors::largest).max().orElse(0);
            expected.forEach(
                    (name, g) ->
                            assertClose(
                                    "gradient of " + name,
                                    g,
                                    got.get(name),
                                    exact ? 1e-9 : 1e-4,
                                    leastScale));
        }
    }

    /**
     * Where features repeat, the first of a kind takes all of it, and what it leaves is eps: a
     * rounding error of the inner product must not count as a distance.
     */
    @ParameterizedTest
    @CsvSource({
        "1, FLOAT32",
        "64, FLOAT32",
        "768, FLOAT32",
        "2048, FLOAT32",
        "64, FLOAT64",
        "64, FLOAT16"
    })
    void equalFeaturesHaveNoDistance(int featureDim, DataType type, NDManager manager) {
        double eps = type == DataType.FLOAT16 ? 0x1p-10 : EPS;
        double tolerance = type == DataType.FLOAT16 ? 0.01 : 1e-5;
        StickBreakingGrouping block = block(manager, type, featureDim, 0.25, eps);
        NDArray x = Tensors.normal(manager, 1, type, 20, 1, featureDim).tile(new long[] {1, 30, 1});
        NDArray u = Tensors.uniform(manager, 2, type, 20, 30);
        NDList plain = PlainStickBreaking.run(block, x, u, K, eps);
        for (boolean training : new boolean[] {false, true}) {
            NDList fast = run(block, x, u, training);
            for (int k = 0; k < 2; k++) {
                String slot = ":, " + k;
                assertClose("mask", plain.get(1).get(slot), fast.get(1).get(slot), tolerance);
            }
            assertEquals(eps, Tensors.largest(fast.get(1).get(":, 1")), tolerance * eps);
            assertClose("objects", plain.get(0), fast.get(0), tolerance);
        }
    }

    /** A feature that is zero after the projection has no direction: p = 0. */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void zeroFeatures(DataType type, NDManager manager) {
        StickBreakingGrouping block = block(manager, type, 8, 1, EPS);
        NDArray x = Tensors.normal(manager, 1, type, 2, 20, 8);
        x.set(new NDIndex(":, 3:9"), 0);
        for (int seed = 0; seed < 5; seed++) {
            NDArray u = Tensors.uniform(manager, seed, type, 2, 20);
            NDList plain = PlainStickBreaking.run(block, x, u, K, EPS);
            NDList fast = run(block, x, u, false);
            assertClose("objects", plain.get(0), fast.get(0), 1e-5);
            assertClose("masks", plain.get(1), fast.get(1), 1e-5);
        }
    }

    /** An image of zeros: nothing is like anything, except zeros, which are all the same. */
    @Test
    void onlyZeroFeatures(NDManager manager) {
        StickBreakingGrouping block = block(manager, DataType.FLOAT32, 8, 1, EPS);
        NDArray x = manager.zeros(new Shape(2, 20, 8));
        NDArray u = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 20);
        NDList plain = PlainStickBreaking.run(block, x, u, K, EPS);
        NDList fast = run(block, x, u, false);
        assertClose("masks", plain.get(1), fast.get(1), 1e-6);
        assertEquals(1, Tensors.largest(fast.get(1).get(":, 0")), 1e-6);
        assertClose("objects", plain.get(0), fast.get(0), 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"1e-9", "1e10", "1e17"})
    void sizeDoesNotMatterToMasks(float scale, NDManager manager) {
        StickBreakingGrouping block = block(manager, DataType.FLOAT32, 8, 0.5, EPS);
        NDArray x = Tensors.normal(manager, 1, 2, 20, 8);
        NDArray u = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 20);
        NDArray masks = run(block, x, u, false).get(1);
        assertClose("masks", masks, run(block, x.mul(scale), u, false).get(1), 1e-5);
    }

    /** What is out of range for float16 must not become NaN, in gradients either. */
    @Test
    void float16StaysFinite(NDManager manager) {
        StickBreakingGrouping block = block(manager, DataType.FLOAT16, 8, 1, EPS);
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT16, 3, 20, 8);
        x.set(new NDIndex("0"), 0); // no direction
        x.set(new NDIndex("1"), 1); // explained by the first centre: nothing is left
        x.set(new NDIndex("2, 3"), 0);
        NDArray u = Tensors.uniform(manager, 1, DataType.FLOAT16, 3, 20);
        for (boolean training : new boolean[] {false, true}) {
            for (NDArray out : run(block, x, u, training)) {
                assertTrue(Double.isFinite(Tensors.largest(out)));
            }
        }
        gradients(block, x, () -> run(block, x, u, true))
                .forEach((name, g) -> assertTrue(Double.isFinite(Tensors.largest(g)), name));
    }
}
