package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** {@link StoppingRule}: which slots are empty, and where the unexplained goes. */
@ExtendWith(OnDevice.class)
class StoppingRuleTest {

    private static final boolean T = true;
    private static final boolean F = false;

    private NDArray masks; // (1, 4, 2)
    private NDArray logScopes;

    private static StoppingRule.Builder rule() {
        return StoppingRule.builder();
    }

    @BeforeEach
    void setUp(NDManager manager) {
        masks = rows(manager, .9f, .1f, .05f, .5f, .02f, .02f, .01f, .3f);
        logScopes = rows(manager, 1, 1, .1f, .9f, .05f, .4f, .03f, .38f).log();
    }

    private static NDArray rows(NDManager manager, float... values) {
        return manager.create(values, new Shape(1, 4, 2)).duplicate();
    }

    private static boolean[] empty(StoppingRule.Verdict verdict) {
        return verdict.isEmpty().toBooleanArray();
    }

    static Stream<Arguments> bounds() {
        return Stream.of(
                Arguments.of("nothing is empty by default", rule(), new boolean[] {F, F, F, F}),
                Arguments.of(
                        "the scopes' means are 1, 0.5, 0.225 and 0.205",
                        rule().optMaxUnexplained(0.21),
                        new boolean[] {F, F, F, T}),
                Arguments.of(
                        "the masks' means are 0.5, 0.275, 0.02 and 0.155",
                        rule().optMinSlotMask(0.1),
                        new boolean[] {F, F, T, F}),
                Arguments.of(
                        "the masks' maxima are 0.9, 0.5, 0.02 and 0.3",
                        rule().optMinMaxMaskValue(0.4),
                        new boolean[] {F, F, T, T}),
                Arguments.of(
                        "a value at the bound is not below it",
                        rule().optMinMaxMaskValue(0.5),
                        new boolean[] {F, F, T, T}),
                Arguments.of(
                        "one criterion is enough",
                        rule().optMinSlotMask(0.1).optMaxUnexplained(0.21),
                        new boolean[] {F, F, T, T}),
                Arguments.of(
                        "any criterion is enough",
                        rule().optMinSlotMask(0.2).optMinMaxMaskValue(0.1),
                        new boolean[] {F, F, T, T}),
                Arguments.of(
                        "termination is final",
                        rule().optMinSlotMask(0.1).optEarlyTermination(true),
                        new boolean[] {F, F, T, T}),
                Arguments.of(
                        "termination at once",
                        rule().optMinSlotMask(0.6).optEarlyTermination(true),
                        new boolean[] {T, T, T, T}),
                Arguments.of(
                        "termination needs an empty slot",
                        rule().optEarlyTermination(true),
                        new boolean[] {F, F, F, F}));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bounds")
    void emptySlots(String name, StoppingRule.Builder rule, boolean[] expected, NDManager manager) {
        NDArray before = masks.duplicate();
        StoppingRule.Verdict verdict = rule.build().apply(masks, logScopes);
        assertArrayEquals(expected, empty(verdict));
        assertEquals(new Shape(1, 4), verdict.isEmpty().getShape());
        assertSame("masks", before, verdict.masks());
    }

    @Test
    void theFirstEmptySlotTakesTheUnexplained(NDManager manager) {
        StoppingRule rule =
                rule().optMinSlotMask(0.1)
                        .optEarlyTermination(true)
                        .optAddUnexplained(true)
                        .build();
        StoppingRule.Verdict verdict = rule.apply(masks, logScopes);
        assertArrayEquals(new boolean[] {F, F, F, T}, empty(verdict));
        NDArray expected = rows(manager, .9f, .1f, .05f, .5f, .05f, .4f, .01f, .3f);
        assertClose("masks", expected, verdict.masks(), 1e-6);
    }

    @Test
    void theVeryFirstSlotCanBeTheEmptyOne(NDManager manager) {
        StoppingRule rule =
                rule().optMinSlotMask(0.6)
                        .optEarlyTermination(true)
                        .optAddUnexplained(true)
                        .build();
        StoppingRule.Verdict verdict = rule.apply(masks, logScopes);
        assertArrayEquals(new boolean[] {F, T, T, T}, empty(verdict));
        NDArray expected = rows(manager, 1, 1, .05f, .5f, .02f, .02f, .01f, .3f);
        assertClose("masks", expected, verdict.masks(), 1e-6);
    }

    /** The reference overwrites slot 0 with ones here. */
    @Test
    void withoutAnEmptySlotTheMasksStay(NDManager manager) {
        StoppingRule rule = rule().optEarlyTermination(true).optAddUnexplained(true).build();
        StoppingRule.Verdict verdict = rule.apply(masks, logScopes);
        assertArrayEquals(new boolean[] {F, F, F, F}, empty(verdict));
        assertSame("masks", masks, verdict.masks());
    }

    @Test
    void imagesAreJudgedApart(NDManager manager) {
        NDArray both = masks.concat(masks.onesLike(), 0);
        StoppingRule rule =
                rule().optMinSlotMask(0.1)
                        .optEarlyTermination(true)
                        .optAddUnexplained(true)
                        .build();
        StoppingRule.Verdict verdict = rule.apply(both, logScopes.concat(logScopes, 0));
        assertArrayEquals(new boolean[] {F, F, F, T, F, F, F, F}, empty(verdict));
        assertSame("second image", masks.onesLike(), verdict.masks().get("1:2"));
    }

    @Test
    void nanIsNotEmpty(NDManager manager) {
        NDArray nan = manager.full(masks.getShape(), Float.NaN);
        StoppingRule rule =
                rule().optMaxUnexplained(.5).optMinSlotMask(.5).optMinMaxMaskValue(.5).build();
        assertArrayEquals(new boolean[] {F, F, F, F}, empty(rule.apply(nan, nan)));
    }

    @Test
    void gradientsFollowTheUnexplained(NDManager manager) {
        masks.setRequiresGradient(true);
        logScopes.setRequiresGradient(true);
        StoppingRule rule =
                rule().optMinSlotMask(0.1)
                        .optEarlyTermination(true)
                        .optAddUnexplained(true)
                        .build();
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(rule.apply(masks, logScopes).masks().sum());
        }
        assertSame("masks", rows(manager, 1, 1, 1, 1, 0, 0, 1, 1), masks.getGradient());
        // d exp(s) / ds = exp(s)
        assertClose(
                "scopes",
                rows(manager, 0, 0, 0, 0, .05f, .4f, 0, 0),
                logScopes.getGradient(),
                1e-6);
    }

    private static PerceptualGroupingOutput group(NDManager manager, StoppingRule rule) {
        manager.getEngine().setRandomSeed(3);
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setFeatureDim(8)
                        .setObjectDim(6)
                        .setSlots(6)
                        .optKernelVar(0.5)
                        .optStoppingRule(rule)
                        .build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        NDArray bias = block.getDirectParameters().get("out_proj.bias").getArray();
        Tensors.normal(manager, 8, 6).copyTo(bias);
        return block.group(
                new ParameterStore(manager, false),
                new FeatureExtractorOutput(Tensors.normal(manager, 1, 4, 20, 8)),
                Tensors.uniform(manager, 2, DataType.FLOAT32, 4, 20),
                false);
    }

    @Test
    void emptySlotsHaveNoObjectsButKeepTheirMasks(NDManager manager) {
        PerceptualGroupingOutput out = group(manager, rule().optMinSlotMask(0.1).build());
        PerceptualGroupingOutput all = group(manager, rule().build());
        assertSame("masks", all.attributions(), out.attributions());
        boolean[] empty = out.isEmpty().toBooleanArray();
        assertTrue(Arrays.equals(new boolean[24], all.isEmpty().toBooleanArray()));
        int count = 0;
        for (int i = 0; i < empty.length; i++) {
            String slot = i / 6 + ", " + i % 6;
            count += empty[i] ? 1 : 0;
            if (empty[i]) {
                assertEquals(0, Tensors.largest(out.objects().get(slot)));
            } else {
                assertSame(slot, all.objects().get(slot), out.objects().get(slot));
            }
        }
        assertTrue(count > 0 && count < 24, "some are empty");
    }

    /** With a bound of 0 no slot is empty; with 0.1 some are. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1})
    void withTheUnexplainedMasksOfSlotsAddUpToOne(double minSlotMask, NDManager manager) {
        PerceptualGroupingOutput out =
                group(
                        manager,
                        rule().optMinSlotMask(minSlotMask)
                                .optEarlyTermination(true)
                                .optAddUnexplained(true)
                                .build());
        NDArray notEmpty = out.isEmpty().logicalNot();
        assertEquals(minSlotMask == 0, notEmpty.all().getBoolean());
        NDArray used =
                out.attributions().mul(notEmpty.toType(DataType.FLOAT32, true).expandDims(2));
        for (double sum : Tensors.doubles(used.sum(new int[] {1}))) {
            assertEquals(1, sum, 1e-5);
        }
    }

    @Test
    void refusesWhatIsOutOfRange() {
        for (double bad : new double[] {-0.1, 1, Double.NaN}) {
            assertRefused(
                    "StoppingRule: maxUnexplained must be in [0, 1), got " + bad,
                    () -> rule().optMaxUnexplained(bad).build());
            assertRefused(
                    "StoppingRule: minSlotMask must be in [0, 1), got " + bad,
                    () -> rule().optMinSlotMask(bad).build());
            assertRefused(
                    "StoppingRule: minMaxMaskValue must be in [0, 1), got " + bad,
                    () -> rule().optMinMaxMaskValue(bad).build());
        }
        assertRefused(
                "StoppingRule: addUnexplained needs earlyTermination",
                () -> rule().optAddUnexplained(true).build());
    }
}
