package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.SlotMixtureGrouping;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class ObjectDiscoveryTest {

    private static ObjectDiscovery initialised(
            NDManager manager, ObjectDiscoveryConfiguration c, DataType type) {
        Engine.getEngine("PyTorch").setRandomSeed(5);
        ObjectDiscovery block = new ObjectDiscovery(c);
        ModelWeights.draw(block, manager, type);
        return block;
    }

    private static NDList run(ObjectDiscovery block, NDArray images, boolean training) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        return block.forward(store, new NDList(images), training);
    }

    @Test
    void everyKindIsInASmallModel() {
        Set<Class<?>> used =
                SmallModels.list().stream()
                        .flatMap(
                                c ->
                                        Stream.of(
                                                c.encoder(),
                                                c.conditioning(),
                                                c.grouping(),
                                                c.decoder()))
                        .map(Object::getClass)
                        .collect(Collectors.toSet());
        Set<String> missing = new TreeSet<>();
        Stream.of(
                        EncoderKinds.ALL.types(),
                        ConditioningKinds.ALL.types(),
                        GroupingKinds.ALL.types(),
                        DecoderKinds.ALL.types())
                .forEach(
                        kinds ->
                                kinds.forEach(
                                        (name, type) -> {
                                            if (!used.contains(type)) {
                                                missing.add(name);
                                            }
                                        }));
        assertEquals(Set.of("pretrained"), missing);
    }

    /** Every sealed interface's records are in its table. */
    @Test
    void everyRecordIsAKind() {
        Map.of(
                        EncoderConfiguration.class, EncoderKinds.ALL.types(),
                        ConditioningConfiguration.class, ConditioningKinds.ALL.types(),
                        GroupingConfiguration.class, GroupingKinds.ALL.types(),
                        DecoderConfiguration.class, DecoderKinds.ALL.types())
                .forEach(
                        (part, kinds) ->
                                assertEquals(
                                        Set.of(part.getPermittedSubclasses()),
                                        Set.copyOf(kinds.values())));
    }

    @Test
    void everyModelGivesWhatItsShapesSay(NDManager manager) {
        SmallModels.all()
                .forEach(
                        (name, c) -> {
                            for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
                                try (NDManager own = manager.newSubManager()) {
                                    ObjectDiscovery block = initialised(own, c, type);
                                    NDArray images = Tensors.uniform(own, 1, type, 3, 3, 8, 8);
                                    NDList out = run(block, images, false);
                                    Shape[] shapes =
                                            block.getOutputShapes(new Shape[] {images.getShape()});
                                    assertEquals(List.of(shapes), List.of(out.getShapes()), name);
                                    NDArray masks = out.get("masks");
                                    assertEquals(type, masks.getDataType(), name);
                                    assertClose(
                                            name + ": masks' sum",
                                            masks.sum(new int[] {1}).onesLike(),
                                            masks.sum(new int[] {1}),
                                            1e-5);
                                    out.forEach(
                                            a ->
                                                    assertTrue(
                                                            !a.getDataType().isFloating()
                                                                    || !a.isNaN()
                                                                            .any()
                                                                            .getBoolean(),
                                                            name + ": " + a.getName()));
                                }
                            }
                        });
    }

    /** An image's result does not depend on its batch, nor on when it is asked for. */
    @Test
    void aRowAloneIsTheRowInABatch(NDManager manager) {
        SmallModels.all()
                .forEach(
                        (name, c) -> {
                            try (NDManager own = manager.newSubManager()) {
                                ObjectDiscovery block = initialised(own, c, DataType.FLOAT64);
                                NDArray images =
                                        Tensors.uniform(own, 1, DataType.FLOAT64, 3, 3, 8, 8);
                                NDList all = run(block, images, false);
                                NDList one = run(block, images.get("2:3"), false);
                                for (int i = 0; i < all.size(); i++) {
                                    if (all.get(i).getDataType().isFloating()) {
                                        assertClose(
                                                name + ": " + all.get(i).getName(),
                                                all.get(i).get("2:3"),
                                                one.get(i),
                                                1e-9);
                                    }
                                }
                            }
                        });
    }

    /** Everything that is learnt gets a gradient from the loss, where the model says it learns. */
    @Test
    void everyModelLearns(NDManager manager) {
        SmallModels.all()
                .forEach(
                        (name, c) -> {
                            try (NDManager own = manager.newSubManager()) {
                                ObjectDiscovery block = initialised(own, c, DataType.FLOAT32);
                                NDArray images =
                                        Tensors.uniform(own, 1, DataType.FLOAT32, 3, 3, 8, 8);
                                try (GradientCollector collector =
                                        Engine.getEngine("PyTorch").newGradientCollector()) {
                                    NDList out = run(block, images, true);
                                    NDArray mask = own.zeros(new Shape(3, 64), DataType.INT64);
                                    NDList labels = new NDList(images, mask);
                                    collector.backward(
                                            new ReconstructionLoss().evaluate(labels, out));
                                }
                                long moved =
                                        block.getParameters().values().stream()
                                                .filter(p -> p.requiresGradient())
                                                .filter(
                                                        p ->
                                                                p.getArray().hasGradient()
                                                                        && Tensors.largest(
                                                                                        p.getArray()
                                                                                                .getGradient())
                                                                                > 0)
                                                .count();
                                long all =
                                        block.getParameters().values().stream()
                                                .filter(p -> p.requiresGradient())
                                                .count();
                                assertTrue(
                                        moved > 0 && moved >= all - 4,
                                        name + ": " + moved + " of " + all);
                            }
                        });
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(
                        () -> new ObjectDiscovery(SmallModels.settled()),
                        (m, type) -> new NDList(Tensors.uniform(m, 3, type, 2, 3, 8, 8)))
                .check(manager);
    }

    @Test
    void coloursComeBackInTheirRange(NDManager manager) {
        ObjectDiscoveryConfiguration c = SmallModels.settled();
        ObjectDiscovery block = initialised(manager, c, DataType.FLOAT32);
        NDList out = run(block, Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8), false);
        NDArray sum = out.get("slot_images").mul(out.get("masks").expandDims(2)).sum(new int[] {1});
        assertClose("sum of slot images", out.get("reconstruction"), sum, 1e-5);
    }

    @Test
    void trainingDrawsAnewAndInferenceDoesNot(NDManager manager) {
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        for (ObjectDiscoveryConfiguration c :
                List.of(SmallModels.random(), SmallModels.startingOnFeatures(3L))) {
            ObjectDiscovery block = initialised(manager, c, DataType.FLOAT32);
            NDArray first = run(block, images, false).get("objects");
            assertSame("objects", first, run(block, images, false).get("objects"));
            assertTrue(differs(block, images, true));
        }
    }

    /** Whether the same images have other slots when they are asked for again, ten times. */
    private static boolean differs(ObjectDiscovery block, NDArray images, boolean training) {
        NDArray first = run(block, images, training).get("objects");
        return IntStream.range(0, 10)
                .anyMatch(
                        i ->
                                Tensors.largest(
                                                run(block, images, training)
                                                        .get("objects")
                                                        .sub(first))
                                        > 1e-6);
    }

    /** Which features a mixture starts on is drawn, anew each time where no seed says which. */
    @Test
    void theSeedDecidesOnWhichFeaturesAMixtureStarts(NDManager manager) {
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        ObjectDiscovery drawing =
                initialised(manager, SmallModels.startingOnFeatures(null), DataType.FLOAT32);
        assertTrue(differs(drawing, images, false));
        Set<Float> slots =
                LongStream.range(0, 10)
                        .mapToObj(SmallModels::startingOnFeatures)
                        .map(c -> initialised(manager, c, DataType.FLOAT32))
                        .map(block -> run(block, images, false).get("objects"))
                        .map(objects -> objects.get("0, 0, 0").getFloat())
                        .collect(Collectors.toSet());
        assertTrue(slots.size() > 1, slots.toString());
    }

    /** Of the same features and draws the block by itself gives the same slots. */
    @Test
    void aMixtureWithoutConditioningStartsOnFeatures(NDManager manager) {
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        ObjectDiscoveryConfiguration c = SmallModels.startingOnFeatures(3L);
        ObjectDiscovery block = initialised(manager, c, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput features = block.features(store, images, false);
        SlotMixtureGrouping mixture =
                block.getChildren().values().stream()
                        .filter(SlotMixtureGrouping.class::isInstance)
                        .map(SlotMixtureGrouping.class::cast)
                        .findFirst()
                        .orElseThrow();
        NDArray draws = SettledNoise.uniform(features.features(), 3);
        NDArray start = mixture.startOnFeatures(store, features, draws, c.slots());
        assertSame(
                "objects",
                mixture.group(store, features, start, false).objects(),
                run(block, images, false).get("objects"));
    }

    /** A mixture without a start takes its first means from features, each once. */
    @Test
    void aMixtureThatStartsOnFeaturesNeedsOneForEachSlot() {
        ObjectDiscoveryConfiguration c = SmallModels.all().get("mixture that starts on features");
        assertRefused(
                "ConditioningConfiguration: slots must be at most the 16 features of an image, got"
                        + " 17",
                () -> new ObjectDiscovery(c.withSlots(17)));
    }

    @Test
    void refusesOtherImages(NDManager manager) {
        ObjectDiscovery block = initialised(manager, SmallModels.settled(), DataType.FLOAT32);
        assertRefused(
                "ObjectDiscovery: images must be (B, 3, 8, 8), got (1, 3, 8, 9)",
                () -> run(block, Tensors.uniform(manager, 1, DataType.FLOAT32, 1, 3, 8, 9), false));
        assertRefused(
                "ObjectDiscovery: images must be float32 as the block's parameters, got float64",
                () -> run(block, Tensors.uniform(manager, 1, DataType.FLOAT64, 1, 3, 8, 8), false));
    }
}
