package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Where {@link SlotMixtureGrouping#startOnFeatures} puts slots. */
@ExtendWith(OnDevice.class)
class MixtureStartTest {

    private static final int B = 2;
    private static final int N = 12;
    private static final int F = 5;
    private static final int C = 4;
    private static final int K = 3;

    private static SlotMixtureGrouping block(NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(3);
        SlotMixtureGrouping block =
                SlotMixtureGrouping.builder().setDim(2 * C).setFeatureDim(F).build();
        block.initialize(manager, type);
        return block;
    }

    private static NDArray start(SlotMixtureGrouping block, NDArray x, NDArray draws, int slots) {
        ParameterStore store = new ParameterStore(x.getManager(), false);
        return block.startOnFeatures(store, new FeatureExtractorOutput(x), draws, slots);
    }

    /** The equations, number by number. */
    private static double[] plain(double[] x, double[] draws, int slots, double leastVariance) {
        double[] all = new double[B * slots * 2 * C];
        for (int b = 0; b < B; b++) {
            double[] variance = new double[C];
            double sum = 0;
            for (int c = 0; c < C; c++) {
                double mean = 0;
                for (int n = 0; n < N; n++) {
                    mean += x[(b * N + n) * C + c] / N;
                }
                for (int n = 0; n < N; n++) {
                    variance[c] += Math.pow(x[(b * N + n) * C + c] - mean, 2) / N;
                }
                sum += variance[c];
            }
            double[] left = new double[N];
            Arrays.fill(left, 1);
            for (int k = 0; k < slots; k++) {
                int best = 0;
                for (int n = 1; n < N; n++) {
                    if (left[n] * draws[b * N + n] > left[best] * draws[b * N + best]) {
                        best = n;
                    }
                }
                int to = (b * slots + k) * 2 * C;
                for (int c = 0; c < C; c++) {
                    all[to + c] = x[(b * N + best) * C + c];
                    all[to + C + c] = Math.log(Math.max(variance[c] / 4, leastVariance)) / 2;
                }
                for (int n = 0; n < N; n++) {
                    double distance = 0;
                    for (int c = 0; c < C; c++) {
                        distance += Math.pow(x[(b * N + n) * C + c] - all[to + c], 2);
                    }
                    left[n] *= 1 - Math.exp(-distance / sum);
                }
            }
        }
        return all;
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1e-4", "2, 3, 1e-4", "3, 6, 0.3", "4, 9, 1e-4"})
    void isWhatTheEquationsSay(int seed, int slots, double leastVariance, NDManager manager) {
        NDArray x = normal(manager, seed, DataType.FLOAT64, B, N, C);
        NDArray draws = uniform(manager, seed + 20, DataType.FLOAT64, B, N);
        double[] expected = plain(x.toDoubleArray(), draws.toDoubleArray(), slots, leastVariance);
        assertClose(
                "start",
                manager.create(expected, new Shape(B, slots, 2 * C)),
                MixtureStart.of(x, draws, slots, leastVariance),
                1e-12);
    }

    /** However small features are beside the least variance: or all slots would be one. */
    @ParameterizedTest
    @CsvSource({"1e-7", "1e-4", "1e4"})
    void theScaleOfFeaturesChoosesNothing(double scale, NDManager manager) {
        NDArray x = normal(manager, 1, DataType.FLOAT32, B, N, C);
        NDArray draws = uniform(manager, 2, DataType.FLOAT32, B, N);
        NDArray scaled = x.mul((float) scale);
        assertClose(
                "means",
                MixtureStart.of(x, draws, K, 1e-4).get(":, :, :" + C),
                MixtureStart.of(scaled, draws, K, 1e-4).get(":, :, :" + C).div((float) scale),
                1e-5);
    }

    /** Means are what the mixture compares: features after the normalisation and the map. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT32", "FLOAT64"})
    void meansAreProjectedFeatures(DataType type, NDManager manager) {
        SlotMixtureGrouping block = block(manager, type);
        NDArray x = normal(manager, 1, type, B, N, F);
        NDArray draws = uniform(manager, 2, type, B, N);
        NDArray centred = x.sub(x.mean(new int[] {2}, true));
        NDArray variance = centred.square().mean(new int[] {2}, true);
        NDArray weight =
                block.getParameters().values().stream()
                        .map(Parameter::getArray)
                        .filter(array -> array.getShape().equals(new Shape(C, F)))
                        .findFirst()
                        .orElseThrow();
        NDArray projected = centred.div(variance.add(1e-5).sqrt()).matMul(weight.transpose());
        assertClose(
                "start",
                MixtureStart.of(projected, draws, K, 1e-4),
                start(block, x, draws, K),
                1e-5);
    }

    /** Whatever is drawn, each of as many groups as there are slots has one of them. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void slotsAreInGroupsOfTheirOwn(DataType type, NDManager manager) {
        NDArray noise = normal(manager, 1, DataType.FLOAT32, 1, N, C).mul(0.01f);
        for (int n = 0; n < N; n++) {
            noise.set(new NDIndex("0, {}, {}", n, n % K), 2 + n % K);
        }
        NDArray x = noise.toType(type, false);
        for (int seed = 0; seed < 50; seed++) {
            NDArray draws = uniform(manager, seed, DataType.FLOAT32, 1, N).toType(type, false);
            float[] means =
                    MixtureStart.of(x, draws, K, 0.01)
                            .toType(DataType.FLOAT32, false)
                            .toFloatArray();
            Set<Integer> groups = new HashSet<>();
            for (int k = 0; k < K; k++) {
                for (int c = 0; c < K; c++) {
                    if (means[k * 2 * C + c] > 1) {
                        groups.add(c);
                    }
                }
            }
            assertEquals(K, groups.size(), "draws " + seed);
        }
    }

    @Test
    void drawsAreTheEnginesWhereNoneAreGiven(NDManager manager) {
        SlotMixtureGrouping block = block(manager, DataType.FLOAT32);
        FeatureExtractorOutput x = new FeatureExtractorOutput(normal(manager, 1, B, 200, F));
        ParameterStore store = new ParameterStore(manager, false);
        Engine engine = manager.getEngine();
        engine.setRandomSeed(8);
        NDArray first = block.startOnFeatures(store, x, null, K);
        NDArray second = block.startOnFeatures(store, x, null, K);
        engine.setRandomSeed(8);
        assertSame("the same seed", first, block.startOnFeatures(store, x, null, K));
        assertNotEquals(first, second);
    }

    /** In training the choice is a constant, and what follows has the gradients of any other. */
    @Test
    void noGradientGoesThroughTheChoice(NDManager manager) {
        SlotMixtureGrouping block = block(manager, DataType.FLOAT64);
        NDArray draws = uniform(manager, 2, DataType.FLOAT64, B, N);
        NDArray x = normal(manager, 1, DataType.FLOAT64, B, N, F);
        NDArray chosen = start(block, x, draws, K).duplicate();
        NDArray expected = gradient(block, x, draws, chosen);
        assertTrue(Tensors.largest(expected) > 1e-3);
        assertClose("features", expected, gradient(block, x, draws, null), 1e-12);
    }

    private static NDArray gradient(
            SlotMixtureGrouping block, NDArray features, NDArray draws, @Nullable NDArray from) {
        NDArray x = features.duplicate();
        x.setRequiresGradient(true);
        ParameterStore store = new ParameterStore(x.getManager(), false);
        FeatureExtractorOutput in = new FeatureExtractorOutput(x);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray start = from == null ? block.startOnFeatures(store, in, draws, K) : from;
            assertTrue(!start.hasGradient());
            NDArray slots = block.mixture(store, in, start, null, true).objects();
            collector.backward(slots.square().sum());
        }
        return x.getGradient();
    }

    @Test
    void featuresThatAreAllAlikeAreAStartAsWell(NDManager manager) {
        SlotMixtureGrouping block = block(manager, DataType.FLOAT32);
        NDArray x = manager.ones(new Shape(B, N, F));
        NDArray start = start(block, x, uniform(manager, 2, DataType.FLOAT32, B, N), K);
        assertTrue(Double.isFinite(Tensors.largest(start)));
        // As many slots as features, of which some are the same.
        NDArray few = normal(manager, 1, B, 1, F).repeat(1, 5);
        NDArray more = start(block, few, uniform(manager, 2, DataType.FLOAT32, B, 5), 5);
        assertEquals(new Shape(B, 5, 2 * C), more.getShape());
        assertTrue(Double.isFinite(Tensors.largest(more)));
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity"})
    void whatIsNoNumberStaysInItsImage(float bad, NDManager manager) {
        SlotMixtureGrouping block = block(manager, DataType.FLOAT32);
        NDArray draws = uniform(manager, 2, DataType.FLOAT32, B, N);
        NDArray x = normal(manager, 1, B, N, F);
        NDArray clean = start(block, x, draws, K);
        NDArray spoilt = x.duplicate();
        spoilt.set(new NDIndex("1, 4, 2"), bad);
        NDArray start = start(block, spoilt, draws, K);
        assertSame("other image", clean.get("0"), start.get("0"));
        assertTrue(Double.isNaN(Tensors.largest(start.get("1"))));
    }

    @Test
    void anImageAloneStartsAsInABatch(NDManager manager) {
        SlotMixtureGrouping block = block(manager, DataType.FLOAT64);
        NDArray draws = uniform(manager, 2, DataType.FLOAT64, B, N);
        NDArray x = normal(manager, 1, DataType.FLOAT64, B, N, F);
        NDArray all = start(block, x, draws, K);
        for (int b = 0; b < B; b++) {
            NDArray alone = start(block, x.get("{}:{}", b, b + 1), draws.get("{}:{}", b, b + 1), K);
            assertClose("start", all.get("{}:{}", b, b + 1), alone, 1e-12);
        }
    }

    @Test
    void errorsSayWhatToMend(NDManager manager) {
        SlotMixtureGrouping block = block(manager, DataType.FLOAT32);
        String who = "SlotMixtureGrouping: ";
        NDArray x = normal(manager, 1, B, N, F);
        NDArray draws = uniform(manager, 2, DataType.FLOAT32, B, N);
        assertRefused(who + "slots must be at least 1, got 0", () -> start(block, x, draws, 0));
        assertRefused(
                who + "slots must be at most as many as there are features, 12, got 13",
                () -> start(block, x, draws, 13));
        assertRefused(
                who + "uniform must be (2, 12), got (2, 3)",
                () -> start(block, x, draws.get(":, :3"), K));
        assertRefused(
                who + "features must be (B, N, 5), got (2, 12, 4)",
                () -> start(block, x.get(":, :, :4"), draws, K));
    }
}
