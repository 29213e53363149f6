package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class SlotMlpTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("variants", "SlotMlp");
    }

    private static SlotMlp.Builder small() {
        return SlotMlp.builder()
                .setFeatureCount(7)
                .setFeatureDim(5)
                .setSlots(3)
                .setDim(4)
                .optHidden(9);
    }

    private static SlotMlp initialised(SlotMlp.Builder builder, NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        SlotMlp block = builder.build();
        block.initialize(manager, DataType.FLOAT32);
        return block;
    }

    private static NDArray run(SlotMlp block, NDArray x) {
        return block.group(
                        new ParameterStore(x.getManager(), false),
                        new FeatureExtractorOutput(x),
                        null,
                        false)
                .objects();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        SlotMlp block =
                SlotMlp.builder()
                        .setFeatureCount(reference.integer("feature_count"))
                        .setFeatureDim(reference.integer("feature_dim"))
                        .setSlots(reference.integer("slots"))
                        .setDim(reference.integer("dim"))
                        .optHidden(reference.integer("hidden"))
                        .optHiddenLayers(reference.integer("hidden_layers"))
                        .build();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    FeatureExtractorOutput x = new FeatureExtractorOutput(in.get("inputs"));
                    return Map.of("slots", block.group(store, x, null, true).objects());
                });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void keepsTheContract(int hiddenLayers, NDManager manager) {
        new BlockContract(
                        () -> small().optHiddenLayers(hiddenLayers).build(),
                        (m, type) -> new NDList(normal(m, 1, type, 2, 7, 5)))
                .check(manager);
    }

    @Test
    void givesSlotsAlone(NDManager manager) {
        SlotMlp block = initialised(small(), manager);
        NDArray x = normal(manager, 1, 2, 7, 5);
        ParameterStore store = new ParameterStore(manager, false);
        PerceptualGroupingOutput out =
                block.group(store, new FeatureExtractorOutput(x), null, false);
        assertEquals(new Shape(2, 3, 4), out.objects().getShape());
        assertNull(out.featureAttributions());
        assertNull(out.isEmpty());
        assertThrows(IllegalStateException.class, out::attributions);
    }

    /** It can stand where Slot Attention stood, on records and on lists. */
    @Test
    void passesAConditioningOver(NDManager manager) {
        SlotMlp block = initialised(small(), manager);
        NDArray x = normal(manager, 1, 2, 7, 5);
        NDArray s = normal(manager, 2, 2, 3, 4);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray expected = run(block, x);
        PerceptualGroupingOutput out = block.group(store, new FeatureExtractorOutput(x), s, false);
        assertSame("with a conditioning", expected, out.objects());
        NDList list = block.forward(store, new NDList(x, s), false);
        assertEquals(1, list.size());
        assertEquals("objects", list.head().getName());
        assertSame("on lists", expected, list.head());
    }

    /** What Slot Attention does not mind. */
    @Test
    void theOrderOfFeaturesMatters(NDManager manager) {
        SlotMlp block = initialised(small(), manager);
        NDArray x = normal(manager, 1, 2, 7, 5);
        NDArray turned = x.flip(1);
        assertTrue(Tensors.largest(run(block, x).sub(run(block, turned))) > 1e-3);
    }

    @Test
    void anImageAloneEqualsTheImageInABatch(NDManager manager) {
        SlotMlp block = initialised(small(), manager);
        NDArray x = normal(manager, 1, 3, 7, 5);
        assertClose("image 1", run(block, x).get("1:2"), run(block, x.get("1:2")), 1e-6);
    }

    @Test
    void everyOptionChangesTheResult(NDManager manager) {
        NDArray x = normal(manager, 1, 2, 7, 5);
        NDArray plain = run(initialised(small(), manager), x);
        NDArray wide = run(initialised(small().optHidden(10), manager), x);
        NDArray deep = run(initialised(small().optHiddenLayers(3), manager), x);
        assertTrue(Tensors.largest(plain.sub(wide)) > 1e-3);
        assertTrue(Tensors.largest(plain.sub(deep)) > 1e-3);
        assertEquals(
                new Shape(2, 6, 4), run(initialised(small().setSlots(6), manager), x).getShape());
        assertEquals(
                new Shape(2, 3, 8), run(initialised(small().setDim(8), manager), x).getShape());
        SlotMlp standard =
                SlotMlp.builder().setFeatureCount(7).setFeatureDim(5).setSlots(3).setDim(4).build();
        standard.initialize(manager, DataType.FLOAT32);
        Map<String, NDArray> parameters = ReferenceCase.parameters(standard);
        assertEquals(new Shape(512, 35), parameters.get("mlp.0.weight").getShape());
        assertEquals(new Shape(512, 512), parameters.get("mlp.2.weight").getShape());
        assertEquals(new Shape(12, 512), parameters.get("mlp.4.weight").getShape());
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        byte[] saved = BlockContract.save(initialised(small(), manager));
        for (SlotMlp.Builder other :
                List.of(
                        small().setFeatureCount(8),
                        small().setFeatureDim(6),
                        small().setSlots(4),
                        small().setDim(5),
                        small().optHidden(8),
                        small().optHiddenLayers(3))) {
            String message = refusal(saved, other.build(), manager);
            assertTrue(message.startsWith("SlotMlp: the block is SlotMlp("), message);
            assertTrue(
                    message.endsWith(
                            "the parameters are of SlotMlp(featureCount=7, featureDim=5, slots=3,"
                                    + " dim=4, hidden=9, hiddenLayers=2)"),
                    message);
        }
    }

    @Test
    void refusesOtherFeatures(NDManager manager) {
        SlotMlp block = initialised(small(), manager);
        assertRefused(
                "SlotMlp: features must be (B, 7, 5), got (2, 8, 5)",
                () -> run(block, normal(manager, 1, 2, 8, 5)));
        assertRefused(
                "SlotMlp: features must be (B, 7, 5), each size at least 1, got (0, 7, 5)",
                () -> run(block, manager.zeros(new Shape(0, 7, 5))));
        assertRefused(
                "SlotMlp: features must be float32 as the block's parameters, got float64",
                () -> run(block, normal(manager, 1, DataType.FLOAT64, 2, 7, 5)));
        assertRefused(
                "SlotMlp: features must be float32, float64 or float16, got int64",
                () -> run(block, manager.zeros(new Shape(2, 7, 5), DataType.INT64)));
        assertThrows(
                IllegalStateException.class,
                () -> run(small().build(), normal(manager, 1, 2, 7, 5)));
    }

    @Test
    void refusesOptionsOutOfRange() {
        assertRefused(
                "SlotMlp: featureCount must be at least 1, got 0",
                () -> small().setFeatureCount(0).build());
        assertRefused(
                "SlotMlp: featureDim must be at least 1, got 0",
                () -> small().setFeatureDim(0).build());
        assertRefused(
                "SlotMlp: slots must be at least 1, got 0", () -> small().setSlots(0).build());
        assertRefused("SlotMlp: dim must be at least 1, got 0", () -> small().setDim(0).build());
        assertRefused(
                "SlotMlp: hidden must be at least 1, got 0", () -> small().optHidden(0).build());
        assertRefused(
                "SlotMlp: hiddenLayers must be at least 1, got 0",
                () -> small().optHiddenLayers(0).build());
    }
}
