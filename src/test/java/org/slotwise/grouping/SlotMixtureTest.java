package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Invariants of {@link SlotMixtureGrouping}, over seeded draws. */
@ExtendWith(OnDevice.class)
class SlotMixtureTest {

    private static final long B = 3;
    private static final long N = 14;
    private static final long K = 4;

    private static SlotMixtureGrouping.Builder small() {
        return SlotMixtureGrouping.builder().setDim(8).setFeatureDim(5);
    }

    private static SlotMixtureGrouping initialised(
            SlotMixtureGrouping.Builder builder, NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(3);
        SlotMixtureGrouping block = builder.build();
        block.initialize(manager, type, new Shape(B, N, 5), new Shape(B, K, 8));
        return block;
    }

    private static SlotMixtureGrouping initialised(
            SlotMixtureGrouping.Builder builder, NDManager manager) {
        return initialised(builder, manager, DataType.FLOAT32);
    }

    private static NDArray features(NDManager manager) {
        return Tensors.normal(manager, 1, B, N, 5);
    }

    private static NDArray conditioning(NDManager manager) {
        return Tensors.normal(manager, 2, B, K, 8);
    }

    private static MixtureSlots run(
            SlotMixtureGrouping block, NDArray x, NDArray start, @Nullable NDArray mask) {
        ParameterStore store = new ParameterStore(x.getManager(), false);
        return block.mixture(store, new FeatureExtractorOutput(x), start, mask, false);
    }

    @ParameterizedTest
    @EnumSource
    void responsibilitiesAndPriorsSumToOne(
            SlotMixtureGrouping.Likelihood likelihood, NDManager manager) {
        SlotMixtureGrouping block = initialised(small().optLikelihood(likelihood), manager);
        MixtureSlots out = run(block, features(manager), conditioning(manager), null);
        assertEquals(new Shape(B, K, 8), out.objects().getShape());
        NDArray one = manager.ones(new Shape(B, N));
        assertClose("responsibilities", one, out.attributions().sum(new int[] {1}), 1e-6);
        NDArray priors = out.priors().sum(new int[] {1});
        assertClose("priors", manager.ones(new Shape(B)), priors, 1e-6);
        boolean full = likelihood == SlotMixtureGrouping.Likelihood.FULL;
        NDArray expected =
                full
                        ? out.attributions().mean(new int[] {2})
                        : manager.full(new Shape(B, K), 1f / K);
        assertClose("priors", expected, out.priors(), 1e-6);
        assertNull(out.isEmpty());
        assertEquals(5, block.featureDim());
        assertEquals(8, block.dim());
    }

    /** Without networks and eps each step is one of plain expectation maximisation. */
    @ParameterizedTest
    @CsvSource({"1, 3", "2, 3", "3, 5", "4, 1"})
    void theLikelihoodDoesNotFallInPlainExpectationMaximisation(
            long seed, int slots, NDManager manager) {
        NDArray x = Tensors.normal(manager, seed, DataType.FLOAT64, 2, 60, 4);
        x = x.add(Tensors.normal(manager, seed + 50, DataType.FLOAT64, 1, 60, 1).mul(3));
        SlotMixtureIteration iteration =
                new SlotMixtureIteration(
                        x, SlotMixtureGrouping.Likelihood.FULL, 0, 1e-3, null, (u, means) -> u);
        NDArray start = Tensors.normal(manager, seed + 100, DataType.FLOAT64, 2, slots, 8);
        NDList state = SlotMixtureIteration.start(start);
        state.set(2, state.get(2).sub(Math.log(slots)));
        double before = logLikelihood(x, state);
        double first = before;
        for (int t = 0; t < 15; t++) {
            NDList next = iteration.repeat(state, 1);
            state = next.subNDList(0, 3);
            double after = logLikelihood(x, state);
            assertTrue(after >= before - 1e-9 * Math.abs(before), before + " to " + after);
            before = after;
        }
        assertTrue(before > first + 1, "it rises");
    }

    private static double logLikelihood(NDArray x, NDList state) {
        NDArray joint = joint(x, state).add(state.get(2)); // (B, K, N)
        NDArray top = joint.max(new int[] {1}, true);
        return joint.sub(top).exp().sum(new int[] {1}, true).log().add(top).sum().getDouble();
    }

    /** log N(x; mu, sigma) by differences, less the constant: (B, K, N). */
    private static NDArray joint(NDArray x, NDList state) {
        NDArray d = x.expandDims(1).sub(state.get(0).expandDims(2));
        NDArray z = d.div(state.get(1).exp().expandDims(2));
        NDArray determinant = state.get(1).sum(new int[] {2}, true);
        return z.square().sum(new int[] {3}).mul(-0.5).sub(determinant);
    }

    /**
     * The products beside differences in float64: what float32 costs at the default least variance,
     * for slots that are as narrow as can be.
     */
    @ParameterizedTest
    @CsvSource({"1e-4, 0.4", "1e-2, 0.01", "1, 2e-4"})
    void logarithmsInFloat32AreOffByLittle(double variance, double bound, NDManager manager) {
        long c = 64;
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT64, 1, 500, c);
        NDArray mu = Tensors.normal(manager, 2, DataType.FLOAT64, 1, 4, c);
        NDArray logSigma = mu.zerosLike().add(Math.log(variance) / 2);
        NDArray exact = joint(x, new NDList(mu, logSigma)); // (1, 4, 500)
        SlotMixtureIteration iteration =
                new SlotMixtureIteration(
                        x.toType(DataType.FLOAT32, false),
                        SlotMixtureGrouping.Likelihood.FULL,
                        0,
                        variance,
                        null,
                        (u, means) -> u);
        NDArray zero = manager.zeros(new Shape(1, 4, 1));
        NDArray got =
                iteration.logits(
                        new NDList(
                                mu.toType(DataType.FLOAT32, false),
                                logSigma.toType(DataType.FLOAT32, false),
                                zero));
        double worst = Tensors.largest(got.toType(DataType.FLOAT64, false).sub(exact));
        double largest = Tensors.largest(exact);
        assertTrue(worst < bound, () -> "off by " + worst + " of " + largest);
    }

    @Test
    void float32IsNearFloat64(NDManager manager) {
        MixtureSlots exact =
                run(
                        initialised(small(), manager, DataType.FLOAT64),
                        features(manager).toType(DataType.FLOAT64, false),
                        conditioning(manager).toType(DataType.FLOAT64, false),
                        null);
        SlotMixtureGrouping wide = initialised(small(), manager, DataType.FLOAT64);
        SlotMixtureGrouping block = initialised(small(), manager);
        for (int i = 0; i < wide.getParameters().size(); i++) {
            org.slotwise.internal.Ops.overwrite(
                    block.getParameters().valueAt(i).getArray(),
                    wide.getParameters().valueAt(i).getArray());
        }
        MixtureSlots got = run(block, features(manager), conditioning(manager), null);
        NDArray objects = exact.objects().toType(DataType.FLOAT32, false);
        assertClose("objects", objects, got.objects(), 1e-4);
        NDArray r = exact.attributions().toType(DataType.FLOAT32, false);
        assertClose("responsibilities", r, got.attributions(), 1e-4);
    }

    @Test
    void permutingSlotsPermutesTheOutputs(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        NDArray order = manager.create(new long[] {2, 0, 3, 1});
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        MixtureSlots out = run(block, x, s, null);
        MixtureSlots permuted = run(block, x, s.get(":, {}", order), null);
        assertClose("slots", out.objects().get(":, {}", order), permuted.objects(), 1e-4);
        assertClose(
                "responsibilities",
                out.attributions().get(":, {}", order),
                permuted.attributions(),
                1e-4);
        assertClose("priors", out.priors().get(":, {}", order), permuted.priors(), 1e-4);
    }

    @Test
    void permutingFeaturesChangesNoSlot(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        long[] order = new long[(int) N];
        for (int i = 0; i < N; i++) {
            order[i] = (5L * i + 3) % N;
        }
        NDArray index = manager.create(order);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        MixtureSlots out = run(block, x, s, null);
        MixtureSlots permuted = run(block, x.get(":, {}", index), s, null);
        assertClose("slots", out.objects(), permuted.objects(), 1e-4);
        NDArray r = out.attributions().get(":, :, {}", index);
        assertClose("responsibilities", r, permuted.attributions(), 1e-4);
    }

    @Test
    void anImageAloneEqualsTheImageInABatch(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        MixtureSlots all = run(block, x, s, null);
        for (int i = 0; i < B; i++) {
            String one = i + ":" + (i + 1);
            MixtureSlots alone = run(block, x.get(one), s.get(one), null);
            assertClose("slots", all.objects().get(one), alone.objects(), 1e-5);
            assertClose("priors", all.priors().get(one), alone.priors(), 1e-5);
        }
    }

    @ParameterizedTest
    @EnumSource(SlotMixtureGrouping.Likelihood.class)
    void priorsAreOfTheSlotsThatTakePart(
            SlotMixtureGrouping.Likelihood likelihood, NDManager manager) {
        SlotMixtureGrouping block = initialised(small().optLikelihood(likelihood), manager);
        boolean[] mask = new boolean[(int) (B * K)];
        mask[1] = true;
        for (int k = 0; k < K; k++) {
            mask[(int) (2 * K) + k] = true;
        }
        NDArray slotMask = manager.create(mask).reshape(B, K);
        NDArray priors = run(block, features(manager), conditioning(manager), slotMask).priors();
        assertEquals(0, priors.getFloat(0, 1));
        assertEquals(0, Tensors.largest(priors.get("2")));
        assertClose("sums", manager.create(new float[] {1, 1, 0}), priors.sum(new int[] {1}), 1e-6);
        if (likelihood == SlotMixtureGrouping.Likelihood.DISTANCE_ONLY) {
            assertEquals(1.0 / (K - 1), priors.getFloat(0, 0), 1e-6);
            assertEquals(1.0 / K, priors.getFloat(1, 1), 1e-6);
        }
    }

    @Test
    void aMaskedSlotTakesNothing(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        boolean[] mask = new boolean[(int) (B * K)];
        mask[1] = true;
        for (int k = 0; k < K; k++) {
            mask[(int) (2 * K) + k] = true;
        }
        NDArray slotMask = manager.create(mask).reshape(B, K);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        MixtureSlots out = run(block, x, s, slotMask);
        assertEquals(0, Tensors.largest(out.attributions().get("0, 1")));
        assertEquals(0, Tensors.largest(out.attributions().get("2")));
        assertEquals(0, Tensors.largest(out.priors().get("2")));
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
        assertSame("mask", slotMask, empty(out));
        NDArray others = NDArrays.concat(new NDList(s.get("0:1, 0:1"), s.get("0:1, 2:")), 1);
        MixtureSlots without = run(block, x.get("0:1"), others, null);
        assertClose("slot 0", without.objects().get("0, 0"), out.objects().get("0, 0"), 1e-5);
        assertClose("slot 2", without.objects().get("0, 1"), out.objects().get("0, 2"), 1e-5);
        MixtureSlots unmasked = run(block, x, s, null);
        assertClose("other image", unmasked.objects().get("1"), out.objects().get("1"), 1e-5);
    }

    private static NDArray empty(MixtureSlots slots) {
        NDArray empty = slots.grouping().isEmpty();
        assertTrue(empty != null);
        return empty;
    }

    /** A masked slot without eps divides nothing by nothing. */
    @ParameterizedTest
    @CsvSource({"0", "1e-8"})
    void gradientsStayFiniteWhereSlotsAreMasked(double eps, NDManager manager) {
        SlotMixtureGrouping block = initialised(small().optEps(eps), manager);
        boolean[] mask = new boolean[(int) (B * K)];
        for (int k = 0; k < K; k++) {
            mask[k] = true;
        }
        mask[(int) K] = true;
        NDArray x = features(manager);
        x.set(new NDIndex("2"), 1); // no variance of its own
        finiteGradients(block, x, manager.create(mask).reshape(B, K));
    }

    private static void finiteGradients(
            SlotMixtureGrouping block, NDArray x, @Nullable NDArray mask) {
        NDManager manager = x.getManager();
        ParameterStore store = new ParameterStore(manager, false);
        NDArray s = conditioning(manager);
        x.setRequiresGradient(true);
        s.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            MixtureSlots out = block.mixture(store, new FeatureExtractorOutput(x), s, mask, true);
            assertTrue(Double.isFinite(Tensors.largest(out.objects())));
            collector.backward(out.objects().square().sum().add(out.attributions().get(0).sum()));
        }
        assertTrue(Double.isFinite(Tensors.largest(x.getGradient())), "features");
        assertTrue(Double.isFinite(Tensors.largest(s.getGradient())), "conditioning");
        block.getParameters()
                .forEach(
                        p ->
                                assertTrue(
                                        Double.isFinite(
                                                Tensors.largest(
                                                        p.getValue().getArray().getGradient())),
                                        p.getKey()));
    }

    /** Equal features, of which many trained encoders give a background full. */
    @Test
    void featuresThatAreAllAlikeStayFinite(NDManager manager) {
        NDArray x = manager.ones(new Shape(B, N, 5));
        x.set(new NDIndex("1"), 0);
        SlotMixtureGrouping block = initialised(small(), manager);
        MixtureSlots out = run(block, x, conditioning(manager), null);
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
        finiteGradients(block, x, null);
    }

    @ParameterizedTest
    @CsvSource({"1e6", "1e-6"})
    void sizeOfFeaturesDoesNotMatterMuch(float scale, NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        MixtureSlots out = run(block, features(manager).mul(scale), conditioning(manager), null);
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
    }

    @ParameterizedTest
    @CsvSource({"100", "-100"})
    void extremeDeviationsStayFinite(float logSigma, NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        NDArray s = conditioning(manager);
        s.set(new NDIndex(":, :, 4:"), logSigma);
        MixtureSlots out = run(block, features(manager), s, null);
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
    }

    @Test
    void slotsStartNoNarrowerThanTheLeastVariance(NDManager manager) {
        SlotMixtureGrouping block =
                initialised(
                        small().optIterations(1).optLeastVariance(0.04), manager, DataType.FLOAT64);
        NDArray x = features(manager).toType(DataType.FLOAT64, false);
        NDArray s = conditioning(manager).toType(DataType.FLOAT64, false);
        s.set(new NDIndex(":, :, 4:"), Math.log(0.2));
        NDArray least = run(block, x, s, null).attributions();
        s.set(new NDIndex(":, :, 4:"), -3);
        assertClose("narrower", least, run(block, x, s, null).attributions(), 1e-12);
        s.set(new NDIndex(":, :, 4:"), -1);
        NDArray wider = run(block, x, s, null).attributions();
        assertTrue(Tensors.largest(wider.sub(least)) > 0.01, "wider");
    }

    @Test
    void nanInOneImageLeavesTheOthersAlone(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        MixtureSlots clean = run(block, x, s, null);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            NDArray spoilt = x.duplicate();
            spoilt.set(new NDIndex("1, 4, 2"), bad);
            MixtureSlots out = run(block, spoilt, s, null);
            assertTrue(Double.isNaN(Tensors.largest(out.objects().get("1"))));
            for (String other : List.of("0", "2")) {
                assertClose("slots", clean.objects().get(other), out.objects().get(other), 1e-6);
            }
        }
    }

    @Test
    void oneSlotTakesEverything(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        MixtureSlots out =
                run(block, Tensors.normal(manager, 1, 1, 1, 5), conditioning1(manager), null);
        assertEquals(1, out.attributions().getFloat(0, 0, 0), 1e-6);
        assertEquals(1, out.priors().getFloat(0, 0), 1e-6);
        // One feature: the deviation is how far the GRU leaves the mean from it.
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
    }

    private static NDArray conditioning1(NDManager manager) {
        return Tensors.normal(manager, 2, 1, 1, 8);
    }

    @Test
    void theNumberOfSlotsMayChangeFromCallToCall(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        for (int k : new int[] {1, 7, 20}) {
            NDArray s = Tensors.normal(manager, 2, B, k, 8);
            MixtureSlots out = run(block, features(manager), s, null);
            assertEquals(new Shape(B, k, 8), out.objects().getShape());
            assertEquals(new Shape(B, k), out.priors().getShape());
        }
    }

    /** Each option against the default, on the same seed and inputs. */
    @Test
    void everyOptionChangesTheResult(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray plain = run(initialised(small(), manager), x, s, null).objects();
        List<SlotMixtureGrouping.Builder> changed = new ArrayList<>();
        changed.add(small().optIterations(4));
        changed.add(small().optEps(0.1));
        changed.add(small().optLeastVariance(0.5));
        changed.add(small().optLikelihood(SlotMixtureGrouping.Likelihood.DISTANCE_ONLY));
        changed.add(small().optFeedForward(new FeedForward(4, 8)));
        changed.add(small().optImplicitDifferentiation(true));
        for (int i = 0; i < changed.size(); i++) {
            NDArray other = run(initialised(changed.get(i), manager), x, s, null).objects();
            assertTrue(Tensors.largest(other.sub(plain)) > 1e-4, "option " + i);
        }
    }

    @Test
    void implicitDifferentiationIsOneIterationMore(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray implicit =
                run(initialised(small().optImplicitDifferentiation(true), manager), x, s, null)
                        .objects();
        NDArray explicit =
                run(initialised(small().optIterations(4), manager), x, s, null).objects();
        assertClose("T + 1 iterations", explicit, implicit, 1e-5);
    }

    /** A batch of more than one group of images. */
    @Test
    void aLargeBatchIsTheSameInGroups(NDManager manager) {
        SlotMixtureGrouping block =
                SlotMixtureGrouping.builder().setDim(8).setFeatureDim(64).build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        NDArray x = Tensors.normal(manager, 1, 10, 4096, 64);
        NDArray s = Tensors.normal(manager, 2, 10, 3, 8);
        MixtureSlots all = run(block, x, s, null);
        MixtureSlots last = run(block, x.get("9:10"), s.get("9:10"), null);
        assertClose("slots", last.objects(), all.objects().get("9:10"), 1e-4);
        assertClose("priors", last.priors(), all.priors().get("9:10"), 1e-4);
    }

    @Test
    void asABlockItTakesInputsByNameOrInOrder(NDManager manager) {
        SlotMixtureGrouping block = initialised(small(), manager);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDList inOrder = block.forward(store, new NDList(x, s), false);
        assertEquals(
                List.of("objects", "feature_attributions"),
                inOrder.stream().map(NDArray::getName).toList());
        NDArray named = s.duplicate();
        named.setName("conditioning");
        assertSame(
                "by name",
                inOrder.get(0),
                block.forward(store, new NDList(named, x), false).get(0));
        Shape[] announced = block.getOutputShapes(new Shape[] {x.getShape(), s.getShape()});
        assertEquals(inOrder.get(0).getShape(), announced[0]);
        assertEquals(inOrder.get(1).getShape(), announced[1]);
    }
}
