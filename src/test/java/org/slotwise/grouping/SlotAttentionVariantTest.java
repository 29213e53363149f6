package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.Part;
import org.slotwise.grouping.SlotAttentionVariant.SoftmaxOver;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What {@link SlotAttention} promises in each {@link SlotAttentionVariant}. */
@ExtendWith(OnDevice.class)
class SlotAttentionVariantTest {

    private static final SlotAttentionVariant PAPER = SlotAttentionVariant.PAPER;

    /** All that can be left out, with each competition and each aggregation. */
    static Stream<SlotAttentionVariant> variants() {
        List<EnumSet<Part>> leftOut =
                List.of(
                        EnumSet.noneOf(Part.class),
                        EnumSet.of(Part.GRU),
                        EnumSet.of(Part.LAYER_NORMS),
                        EnumSet.of(Part.PROJECTIONS),
                        EnumSet.allOf(Part.class));
        List<SlotAttentionVariant> variants = new ArrayList<>();
        for (EnumSet<Part> parts : leftOut) {
            for (SoftmaxOver over : SoftmaxOver.values()) {
                for (Aggregation of : Aggregation.values()) {
                    variants.add(new SlotAttentionVariant(parts, over, of));
                }
            }
        }
        return variants.stream();
    }

    private static SlotAttention.Builder small(SlotAttentionVariant variant) {
        return SlotAttention.builder().setDim(6).setFeatureDim(6).optVariant(variant);
    }

    private static PerceptualGroupingOutput run(SlotAttention block, NDArray x, NDArray s) {
        x.getManager().getEngine().setRandomSeed(3);
        block.initialize(x.getManager(), x.getDataType(), x.getShape(), s.getShape());
        return block.group(
                new ParameterStore(x.getManager(), false), new FeatureExtractorOutput(x), s, false);
    }

    @ParameterizedTest
    @MethodSource("variants")
    void keepsTheContract(SlotAttentionVariant variant, NDManager manager) {
        new BlockContract(
                        () -> small(variant).optEps(1e-2).optIterations(2).build(),
                        (m, type) -> {
                            NDArray mask =
                                    m.create(
                                            new boolean[] {false, true, false, false, false, true});
                            return new NDList(
                                    normal(m, 1, type, 2, 5, 6),
                                    normal(m, 2, type, 2, 3, 6),
                                    mask.reshape(new Shape(2, 3)));
                        })
                .check(manager);
    }

    /** The loops of soft k-means, and nothing else. */
    @Test
    void withoutAllPartsItIsSoftKMeans(NDManager manager) {
        int n = 9;
        int k = 3;
        int d = 4;
        double eps = 1e-3;
        NDArray x = normal(manager, 5, DataType.FLOAT64, 1, n, d);
        NDArray m = normal(manager, 6, DataType.FLOAT64, 1, k, d);
        double[] features = doubles(x);
        double[] means = doubles(m);
        double[] a = new double[k * n];
        for (int t = 0; t < 4; t++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int i = 0; i < k; i++) {
                    double dot = 0;
                    for (int c = 0; c < d; c++) {
                        dot += means[i * d + c] * features[j * d + c];
                    }
                    a[i * n + j] = Math.exp(dot / Math.sqrt(d));
                    sum += a[i * n + j];
                }
                for (int i = 0; i < k; i++) {
                    a[i * n + j] /= sum;
                }
            }
            for (int i = 0; i < k; i++) {
                double total = 0;
                double[] mean = new double[d];
                for (int j = 0; j < n; j++) {
                    total += a[i * n + j] + eps;
                    for (int c = 0; c < d; c++) {
                        mean[c] += (a[i * n + j] + eps) * features[j * d + c];
                    }
                }
                for (int c = 0; c < d; c++) {
                    means[i * d + c] = mean[c] / total;
                }
            }
        }
        SlotAttention block =
                SlotAttention.builder()
                        .setDim(d)
                        .setFeatureDim(d)
                        .optIterations(4)
                        .optEps(eps)
                        .optVariant(SlotAttentionVariant.SOFT_K_MEANS)
                        .build();
        PerceptualGroupingOutput got = run(block, x, m);
        assertClose("means", manager.create(means, m.getShape()), got.objects(), 1e-12);
        assertClose("assignment", manager.create(a, new Shape(1, k, n)), got.attributions(), 1e-12);
        assertTrue(block.getParameters().isEmpty());
    }

    @ParameterizedTest
    @MethodSource("variants")
    void attentionSumsToOneOverWhatCompetes(SlotAttentionVariant variant, NDManager manager) {
        PerceptualGroupingOutput out =
                run(
                        small(variant).build(),
                        normal(manager, 1, 2, 9, 6),
                        normal(manager, 2, 2, 4, 6));
        int axis = variant.softmaxOver() == SoftmaxOver.SLOTS ? 1 : 2;
        NDArray sums = out.attributions().sum(new int[] {axis});
        assertClose("sums", manager.ones(sums.getShape()), sums, 1e-6);
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
    }

    @Test
    void everyVariantChangesTheResult(NDManager manager) {
        NDArray x = normal(manager, 1, 2, 9, 6);
        NDArray s = normal(manager, 2, 2, 4, 6);
        List<NDArray> results =
                variants()
                        .map(variant -> run(small(variant).optEps(0.01).build(), x, s).objects())
                        .toList();
        for (int i = 0; i < results.size(); i++) {
            for (int j = 0; j < i; j++) {
                double difference = Tensors.largest(results.get(i).sub(results.get(j)));
                assertTrue(difference > 1e-5, i + " and " + j + " differ by " + difference);
            }
        }
    }

    /** Slots that compete know of each other; those that do not are what they are alone. */
    @Test
    void withASoftmaxOverFeaturesSlotsDoNotKnowOfEachOther(NDManager manager) {
        NDArray x = normal(manager, 1, 1, 9, 6);
        NDArray s = normal(manager, 2, 1, 4, 6);
        for (SoftmaxOver over : SoftmaxOver.values()) {
            SlotAttention block = small(PAPER.withSoftmaxOver(over)).build();
            NDArray together = run(block, x, s).objects().get(":, :1");
            NDArray alone = run(block, x, s.get(":, :1")).objects();
            double difference = Tensors.largest(together.sub(alone));
            assertEquals(over == SoftmaxOver.FEATURES, difference < 1e-6, over + ": " + difference);
        }
    }

    /** Twice the features: the mean stays, the sum doubles, its LayerNorm stays. */
    @Test
    void aSumGrowsWithTheNumberOfFeatures(NDManager manager) {
        NDArray x = normal(manager, 1, 1, 5, 6);
        NDArray s = normal(manager, 2, 1, 3, 6);
        for (Aggregation of : Aggregation.values()) {
            SlotAttention block =
                    small(PAPER.without(Part.GRU).withAggregation(of)).optIterations(1).build();
            NDArray once = run(block, x, s).objects();
            NDArray twice = run(block, x.concat(x, 1), s).objects();
            double factor = of == Aggregation.WEIGHTED_SUM ? 2 : 1;
            assertClose(of.toString(), once.mul(factor), twice, 1e-3);
        }
    }

    @Test
    void whatIsLeftOutHasNoParameters() {
        assertEquals(11, names(PAPER).size());
        assertEquals(7, names(PAPER.without(Part.GRU)).size());
        assertFalse(names(PAPER.without(Part.GRU)).toString().contains("gru"));
        assertFalse(names(PAPER.without(Part.LAYER_NORMS)).toString().contains("norm"));
        assertFalse(names(PAPER.without(Part.PROJECTIONS)).toString().contains("to_"));
        assertEquals(Set.of(), names(SlotAttentionVariant.SOFT_K_MEANS));
        Set<String> more = names(PAPER.withAggregation(Aggregation.NORMALIZED_SUM));
        more.removeAll(names(PAPER));
        assertEquals(Set.of("norm_updates.weight", "norm_updates.bias"), more);
        assertEquals(names(PAPER), names(PAPER.withSoftmaxOver(SoftmaxOver.FEATURES)));
    }

    private static Set<String> names(SlotAttentionVariant variant) {
        return new TreeSet<>(small(variant).build().getDirectParameters().keys());
    }

    /** Parameters of the paper's module are saved as they were before there were variants. */
    @Test
    void parametersOfAnotherVariantAreRefused(NDManager manager) throws Exception {
        SlotAttention paper = small(PAPER).build();
        paper.initialize(manager, DataType.FLOAT32);
        byte[] saved = BlockContract.save(paper);
        assertFalse(new String(saved, StandardCharsets.ISO_8859_1).contains("variant"));
        Supplier<SlotAttention> other =
                () -> small(PAPER.withSoftmaxOver(SoftmaxOver.FEATURES)).build();
        String message = refusal(saved, other.get(), manager);
        assertTrue(
                message.contains(
                        "variant=SlotAttentionVariant[leftOut=[], softmaxOver=FEATURES,"
                                + " aggregation=WEIGHTED_MEAN]"),
                message);
    }

    @Test
    void sizesMustAgreeWhereNothingMapsThem() {
        SlotAttentionVariant noGru = PAPER.without(Part.GRU);
        SlotAttentionVariant noProjections = PAPER.without(Part.PROJECTIONS);
        assertRefused(
                "SlotAttention: kvqDim must be dim without a GRU, got 8 and 6",
                () -> small(noGru).optKvqDim(8).build());
        assertRefused(
                "SlotAttention: dim, featureDim and kvqDim must be equal without projections, got"
                        + " 6, 5 and 6",
                () -> small(noProjections).setFeatureDim(5).build());
        assertRefused(
                "SlotAttention: dim, featureDim and kvqDim must be equal without projections, got"
                        + " 6, 6 and 8",
                () -> small(noProjections).optKvqDim(8).build());
        assertRefused(
                "SlotAttention: heads must be 1 without projections, got 2",
                () -> small(noProjections).optHeads(2).build());
        assertRefused(
                "SlotAttention: projectionBias must be false without projections",
                () -> small(noProjections).optProjectionBias(true).build());
    }

    @Test
    void aVariantIsAValue() {
        EnumSet<Part> parts = EnumSet.of(Part.GRU);
        SlotAttentionVariant variant =
                new SlotAttentionVariant(parts, SoftmaxOver.SLOTS, Aggregation.WEIGHTED_MEAN);
        parts.add(Part.PROJECTIONS);
        assertEquals(PAPER.without(Part.GRU), variant);
        assertEquals(variant.hashCode(), PAPER.without(Part.GRU).hashCode());
        assertNotEquals(PAPER, variant);
        assertEquals(
                PAPER.without(Part.LAYER_NORMS, Part.GRU),
                PAPER.without(Part.GRU).without(Part.LAYER_NORMS));
        assertThrows(
                UnsupportedOperationException.class, () -> variant.leftOut().add(Part.LAYER_NORMS));
        assertThrows(IllegalArgumentException.class, () -> PAPER.withSoftmaxOver(null));
        assertThrows(IllegalArgumentException.class, () -> PAPER.withAggregation(null));
    }
}
