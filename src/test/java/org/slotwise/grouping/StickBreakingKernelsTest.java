package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.position.PositionGrid;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Kernels and the semi-convolutional embedding of {@link StickBreakingGrouping}. */
@ExtendWith(OnDevice.class)
class StickBreakingKernelsTest {

    private static StickBreakingGrouping.Builder small() {
        return StickBreakingGrouping.builder()
                .setObjectDim(6)
                .setFeatureDim(5)
                .setSlots(4)
                .optKernelVar(0.8);
    }

    private static StickBreakingGrouping initialised(
            StickBreakingGrouping.Builder builder, NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        StickBreakingGrouping block = builder.build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        return block;
    }

    private static NDArray run(
            StickBreakingGrouping block, NDArray x, @Nullable NDArray positions, NDArray u) {
        return block.group(
                        new ParameterStore(x.getManager(), false),
                        new FeatureExtractorOutput(x, positions),
                        u,
                        false)
                .attributions();
    }

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("sticks", "StickBreakingGrouping");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setObjectDim(4)
                        .setFeatureDim(5)
                        .setSlots(reference.integer("slots"))
                        .optEps(reference.number("eps", 0))
                        .optLearnKernelVar(true)
                        .optKernel(Kernel.valueOf(reference.option("kernel").getAsString()))
                        .optSemiConvolutional(reference.flag("semi_convolutional"))
                        .build();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    PerceptualGroupingOutput out =
                            block.group(
                                    store,
                                    new FeatureExtractorOutput(
                                            in.get("features"), in.get("positions")),
                                    in.get("conditioning"),
                                    true);
                    return Map.of("objects", out.objects(), "attributions", out.attributions());
                });
    }

    private static NDList inputs(NDManager manager, DataType type, boolean positions) {
        NDList list = new NDList(Tensors.normal(manager, 1, type, 2, 9, 5));
        if (positions) {
            list.add(Tensors.uniform(manager, 3, type, 9, 2));
        }
        list.add(Tensors.uniform(manager, 2, type, 2, 9));
        return list;
    }

    @ParameterizedTest
    @CsvSource({
        "LAPLACIAN, false",
        "EPANECHNIKOV, false",
        "GAUSSIAN, true",
        "LAPLACIAN, true",
        "EPANECHNIKOV, true"
    })
    void keepsTheContract(Kernel kernel, boolean semiConvolutional, NDManager manager) {
        new BlockContract(
                        () ->
                                small().optKernel(kernel)
                                        .optLearnKernelVar(true)
                                        // What float16 leaves of small distances, a root enlarges.
                                        .optKernelVar(kernel == Kernel.LAPLACIAN ? 2 : 0.8)
                                        .optSemiConvolutional(semiConvolutional)
                                        .build(),
                        (m, type) -> inputs(m, type, semiConvolutional))
                .check(manager);
    }

    @Test
    void everyOptionMatters(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 2, 9, 5);
        NDArray u = Tensors.uniform(manager, 2, DataType.FLOAT32, 2, 9);
        NDArray p = PositionGrid.of(manager, DataType.FLOAT32, 3, 3);
        NDArray plain = run(initialised(small(), manager), x, p, u);
        for (StickBreakingGrouping.Builder changed :
                List.of(
                        small().optKernel(Kernel.LAPLACIAN),
                        small().optKernel(Kernel.EPANECHNIKOV),
                        small().optSemiConvolutional(true))) {
            assertFalse(run(initialised(changed, manager), x, p, u).allClose(plain));
        }
        NDArray gaussian = run(initialised(small().optKernel(Kernel.GAUSSIAN), manager), x, p, u);
        assertSame("the default", plain, gaussian);
        assertSame(
                "positions do not matter", plain, run(initialised(small(), manager), x, null, u));
    }

    /** As it starts, the embedding is the positions: the first slots are patches of the image. */
    @ParameterizedTest
    @EnumSource
    void startsFromPositionsAlone(Kernel kernel, NDManager manager) {
        StickBreakingGrouping block =
                initialised(small().optSemiConvolutional(true).optKernel(kernel), manager);
        NDArray p = PositionGrid.of(manager, DataType.FLOAT32, 7, 7);
        NDArray u = Tensors.uniform(manager, 2, DataType.FLOAT32, 1, 49);
        NDArray masks = run(block, Tensors.normal(manager, 1, 1, 49, 5), p, u);
        assertSame(
                "of other features", masks, run(block, Tensors.normal(manager, 9, 1, 49, 5), p, u));
        int centre = (int) u.argMax(1).getLong(0);
        double[] first = Tensors.doubles(masks.get("0, 0"));
        for (int n = 0; n < 49; n++) {
            double rows = (n / 7 - centre / 7) / 3.0;
            double columns = (n % 7 - centre % 7) / 3.0;
            double squares = rows * rows + columns * columns;
            double expected =
                    switch (kernel) {
                        case GAUSSIAN -> Math.exp(-squares / 0.8);
                        case LAPLACIAN -> Math.exp(-Math.sqrt(squares) / 0.8);
                        case EPANECHNIKOV -> Math.max(1 - squares / 0.8, 1e-8);
                    };
            assertEquals(expected, first[n], 1e-5, "feature " + n);
        }
        assertEquals(0, Tensors.largest(block.getDirectParameters().get("gate").getArray()));
    }

    /** The paper starts all kernels at one half where d² = 1 / K. */
    @ParameterizedTest
    @EnumSource
    void startsAsWideAsThePaper(Kernel kernel, NDManager manager) {
        for (int slots : new int[] {1, 4, 9}) {
            double expected =
                    switch (kernel) {
                        case GAUSSIAN -> 1 / (slots * Math.log(2));
                        case LAPLACIAN -> 1 / (Math.sqrt(slots) * Math.log(2));
                        case EPANECHNIKOV -> 2.0 / slots;
                    };
            double var = kernel.startingVar(slots);
            assertEquals(expected, var, 1e-12);
            NDArray squares = manager.create(new double[] {1.0 / slots});
            NDArray alpha = kernel.logAlphas(squares, manager.create(-var), 1e-8).exp();
            assertEquals(0.5, alpha.getDouble(), 1e-9);
        }
        assertRefused("Kernel: slots must be at least 1, got 0", () -> kernel.startingVar(0));
    }

    /** A centre's own feature, and its twins, are at distance 0, where a root has no slope. */
    @ParameterizedTest
    @EnumSource
    void equalFeaturesHaveNoDistanceAndFiniteGradients(Kernel kernel, NDManager manager) {
        for (boolean semiConvolutional : new boolean[] {false, true}) {
            StickBreakingGrouping block =
                    initialised(
                            small().optKernel(kernel)
                                    .optLearnKernelVar(true)
                                    .optSemiConvolutional(semiConvolutional),
                            manager);
            NDArray x = Tensors.normal(manager, 1, 2, 1, 5).tile(new long[] {1, 12, 1});
            x.setRequiresGradient(true);
            NDArray p = manager.full(new Shape(12, 2), 0.3f);
            NDArray u = Tensors.uniform(manager, 2, DataType.FLOAT32, 2, 12);
            ParameterStore store = new ParameterStore(manager, false);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                PerceptualGroupingOutput out =
                        block.group(store, new FeatureExtractorOutput(x, p), u, true);
                assertEquals(1, out.attributions().get(":, 0").min().getFloat(), 1e-6);
                assertTrue(Tensors.largest(out.attributions().get(":, 1:")) < 1e-6);
                collector.backward(out.objects().square().sum().add(out.attributions().sum()));
            }
            assertTrue(Double.isFinite(Tensors.largest(x.getGradient())));
            block.getParameters()
                    .forEach(
                            parameter ->
                                    assertTrue(
                                            Double.isFinite(
                                                    Tensors.largest(
                                                            parameter
                                                                    .getValue()
                                                                    .getArray()
                                                                    .getGradient())),
                                            parameter.getKey()));
        }
    }

    @Test
    void nanInOneImageLeavesTheOthersAlone(NDManager manager) {
        for (Kernel kernel : Kernel.values()) {
            StickBreakingGrouping block =
                    initialised(small().optKernel(kernel).optSemiConvolutional(true), manager);
            block.getDirectParameters().get("gate").getArray().addi(manager.ones(new Shape()));
            NDArray x = Tensors.normal(manager, 1, 2, 9, 5);
            NDArray u = Tensors.uniform(manager, 2, DataType.FLOAT32, 2, 9);
            NDArray p = PositionGrid.of(manager, DataType.FLOAT32, 3, 3);
            NDArray clean = run(block, x, p, u);
            x.set(new NDIndex("1, 4, 2"), Float.NaN);
            NDArray out = run(block, x, p, u);
            assertTrue(Double.isNaN(Tensors.largest(out.get("1"))), kernel.name());
            assertClose("image 0", clean.get("0"), out.get("0"), 1e-6);
        }
    }

    /** A batch that is computed in groups of images: positions go to each of them. */
    @Test
    void positionsReachEveryGroupOfImages(NDManager manager) {
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setObjectDim(6)
                        .setFeatureDim(64)
                        .setSlots(3)
                        .optSemiConvolutional(true)
                        .build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        NDArray x = Tensors.normal(manager, 1, 10, 4096, 64);
        NDArray u = Tensors.uniform(manager, 2, DataType.FLOAT32, 10, 4096);
        NDArray p = PositionGrid.of(manager, DataType.FLOAT32, 64, 64);
        NDArray all = run(block, x, p, u);
        assertClose("last", run(block, x.get("9:"), p, u.get("9:")), all.get("9:"), 1e-5);
    }

    @Test
    void refuses(NDManager manager) {
        StickBreakingGrouping block = initialised(small().optSemiConvolutional(true), manager);
        NDArray x = Tensors.normal(manager, 1, 2, 9, 5);
        NDArray u = Tensors.uniform(manager, 2, DataType.FLOAT32, 2, 9);
        NDArray p = PositionGrid.of(manager, DataType.FLOAT32, 3, 3);
        String who = "StickBreakingGrouping: ";
        assertRefused(who + "positions is missing", () -> run(block, x, null, u));
        assertRefused(
                who + "positions must be float32 as features, got float64",
                () -> run(block, x, p.toType(DataType.FLOAT64, true), u));
        assertRefused(
                who + "positions must have at most 5 coordinates, got 6",
                () -> run(block, x, manager.zeros(new Shape(9, 6)), u));
        assertRefused(
                who + "positions must be (9, P), each size at least 1, got (9, 0)",
                () -> run(block, x, manager.zeros(new Shape(9, 0)), u));
        NDArray all = manager.zeros(new Shape(9, 5));
        assertEquals(new Shape(2, 4, 9), run(block, x, all, u).getShape());
    }

    @Test
    void parametersOfAnotherKernelAreRefused(NDManager manager) {
        byte[] saved = BlockContract.save(initialised(small(), manager));
        String error =
                "StickBreakingGrouping: the block is StickBreakingGrouping(objectDim=6,"
                        + " featureDim=5, inputLayerNorm=false, kernel=LAPLACIAN,"
                        + " semiConvolutional=true), the parameters are of"
                        + " StickBreakingGrouping(objectDim=6, featureDim=5,"
                        + " inputLayerNorm=false)";
        StickBreakingGrouping other =
                small().optKernel(Kernel.LAPLACIAN).optSemiConvolutional(true).build();
        Exception e =
                assertThrows(
                        MalformedModelException.class,
                        () ->
                                other.loadParameters(
                                        manager,
                                        new DataInputStream(new ByteArrayInputStream(saved))));
        assertEquals(error, e.getMessage());
    }
}
