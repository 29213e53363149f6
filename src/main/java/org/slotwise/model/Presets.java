package org.slotwise.model;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.model.EncoderConfiguration.Perceptron;
import org.slotwise.model.EncoderConfiguration.Positions;
import org.slotwise.model.LearningRateSchedule.Decay;
import org.slotwise.model.ObjectDiscoveryConfiguration.Colours;

/**
 * Models by name, with the sizes of those who made them.
 *
 * <p>Where random draws start the slots, inference of all of them is seeded: an image gives the
 * same result each time.
 */
public final class Presets {

    static final long SEED = 0;

    /** What Keras' layer normalisation adds to the variance. */
    private static final double KERAS = 1e-3;

    static final double PYTORCH = 1e-5;
    private static final double LEAKY = 0.01;

    private static final Map<String, Preset> ALL = all();

    private Presets() {}

    /**
     * The names of all presets.
     *
     * @return in alphabetical order
     */
    public static List<String> names() {
        return List.copyOf(ALL.keySet());
    }

    /**
     * A preset by its name.
     *
     * @param name one of {@link #names}
     * @return the preset
     * @throws IllegalArgumentException if there is none of this name; the message lists them
     */
    public static Preset named(String name) {
        Preset preset = ALL.get(name);
        if (preset == null) {
            throw new IllegalArgumentException(
                    "Presets: there is no " + name + ", only " + names());
        }
        return preset;
    }

    private static Map<String, Preset> all() {
        Map<String, Preset> all = new TreeMap<>();
        for (Preset preset :
                List.of(
                        pictures("pictures", 64, 1),
                        pictures("pictures-128", 128, 2),
                        texturedPictures(),
                        clevr(),
                        small("paper-tetrominoes", "Tetrominoes", 35, 4),
                        small("paper-multi-dsprites", "Multi-dSprites", 64, 6),
                        objectDiscoveryPytorch(),
                        residual(),
                        PlainPresets.tetrominoes(),
                        PlainPresets.clevr(),
                        dinosaur(
                                "dinosaur",
                                "perceptron",
                                new DecoderConfiguration.Features(List.of(2048, 2048, 2048), null)),
                        dinosaur(
                                "dinosaur-autoregressive",
                                "transformer",
                                new DecoderConfiguration.Autoregressive(
                                        768, 8, 4, 3072, true, true, false)),
                        tetrominoes(),
                        multiDSprites())) {
            all.put(preset.name(), preset);
        }
        return Collections.unmodifiableMap(all);
    }

    /** The paper's start of slots. */
    static ConditioningConfiguration random() {
        return new ConditioningConfiguration.Random(true, true, false, SEED);
    }

    private static GroupingConfiguration slotAttention(
            int slotDim, int hidden, double normEps, boolean implicit) {
        return new GroupingConfiguration.SlotAttention(
                3, 1, slotDim, 1e-8, normEps, false, hidden, implicit, null);
    }

    private static TrainingRecipe paperRecipe() {
        return new TrainingRecipe(
                500_000, 64, LearningRateSchedule.paper(), 1e6, Augmentation.NONE, 0, SEED);
    }

    private static EncoderConfiguration.Convolutional convolutional(
            int channels, double negativeSlope, boolean norm, double normEps) {
        return new EncoderConfiguration.Convolutional(
                Collections.nCopies(4, channels),
                Collections.nCopies(4, 1),
                5,
                negativeSlope,
                new Perceptron(Positions.ADDED, norm, normEps, channels, channels));
    }

    private static Preset pictures(String name, int size, int stride) {
        int steps = 3000;
        return new Preset(
                name,
                "for pictures of one's own, of " + size + " by " + size + " pixels",
                new ObjectDiscoveryConfiguration(
                        size,
                        size,
                        Colours.FROM_0_TO_1,
                        7,
                        64,
                        new EncoderConfiguration.Convolutional(
                                List.of(32, 32, 32),
                                List.of(stride, 1, 1),
                                5,
                                0,
                                new Perceptron(Positions.ADDED, true, PYTORCH, 64, 64)),
                        new ConditioningConfiguration.ColourClusters(stride, 3, 4, 5),
                        slotAttention(64, 128, PYTORCH, false),
                        new DecoderConfiguration.AttendedColour(stride)),
                new TrainingRecipe(
                        steps,
                        8,
                        new LearningRateSchedule(1e-3, 200, Decay.COSINE, 0, steps, 0.01),
                        0.3,
                        new Augmentation(true, 0.8),
                        0.005,
                        SEED));
    }

    private static Preset texturedPictures() {
        int size = 64;
        int steps = 1000;
        return new Preset(
                "pictures-textured",
                "for pictures of one's own whose objects have textures, of 64 by 64 pixels",
                new ObjectDiscoveryConfiguration(
                        size,
                        size,
                        Colours.FROM_0_TO_1,
                        7,
                        64,
                        new EncoderConfiguration.Convolutional(
                                List.of(32, 32, 32),
                                List.of(1, 1, 1),
                                5,
                                0,
                                new Perceptron(Positions.ADDED, true, PYTORCH, 64, 64)),
                        new ConditioningConfiguration.GroundAndClusters(1, 7, 1, 0.06, 0.16, 4, 5),
                        new GroupingConfiguration.PlacedSlotAttention(3, 1.5, 1e-8, 128),
                        new DecoderConfiguration.AttendedRamp(1)),
                new TrainingRecipe(
                        steps,
                        8,
                        new LearningRateSchedule(1e-3, 33, Decay.COSINE, 0, steps, 0.01),
                        0.3,
                        new Augmentation(true, 1),
                        0.003,
                        0.0005,
                        3,
                        67,
                        SEED));
    }

    private static Preset clevr() {
        return new Preset(
                "clevr",
                "Slot Attention of Locatello et al. (2020) for CLEVR6; 11 slots for CLEVR10",
                new ObjectDiscoveryConfiguration(
                        128,
                        128,
                        Colours.FROM_MINUS_1_TO_1,
                        7,
                        64,
                        convolutional(64, 0, true, KERAS),
                        random(),
                        slotAttention(64, 128, KERAS, false),
                        new DecoderConfiguration.SpatialBroadcast(
                                BroadcastArchitecture.clevr(), 0, false)),
                paperRecipe());
    }

    private static Preset small(String name, String data, int size, int slots) {
        return new Preset(
                name,
                "Slot Attention of Locatello et al. (2020) for " + data,
                new ObjectDiscoveryConfiguration(
                        size,
                        size,
                        Colours.FROM_MINUS_1_TO_1,
                        slots,
                        64,
                        convolutional(32, 0, true, KERAS),
                        random(),
                        slotAttention(64, 128, KERAS, false),
                        new DecoderConfiguration.SpatialBroadcast(
                                BroadcastArchitecture.tetrominoes(size), 0, false)),
                paperRecipe());
    }

    private static Preset objectDiscoveryPytorch() {
        return new Preset(
                "object-discovery-pytorch",
                "Slot Attention of HHousen's object-discovery-pytorch, with leaky ReLUs",
                new ObjectDiscoveryConfiguration(
                        128,
                        128,
                        Colours.FROM_MINUS_1_TO_1,
                        7,
                        64,
                        convolutional(64, LEAKY, false, PYTORCH),
                        random(),
                        slotAttention(64, 128, PYTORCH, true),
                        new DecoderConfiguration.SpatialBroadcast(
                                BroadcastArchitecture.clevr(), LEAKY, false)),
                new TrainingRecipe(
                        500_000, 64, LearningRateSchedule.paper(), 1, Augmentation.NONE, 0, SEED));
    }

    private static Preset residual() {
        Layer hidden = Layer.convolution(64, 5);
        return new Preset(
                "resnet-clevr",
                "a residual encoder, and a decoder that joins slot and grid at full resolution",
                new ObjectDiscoveryConfiguration(
                        128,
                        128,
                        Colours.FROM_0_TO_1,
                        11,
                        64,
                        new EncoderConfiguration.Residual(
                                false,
                                64,
                                List.of(2),
                                1,
                                false,
                                new Perceptron(Positions.ADDED, true, PYTORCH, 64, 64)),
                        random(),
                        slotAttention(64, 128, PYTORCH, false),
                        new DecoderConfiguration.SpatialBroadcast(
                                new BroadcastArchitecture(
                                        128,
                                        128,
                                        List.of(hidden, hidden, hidden, Layer.convolution(4, 3))),
                                0,
                                true)),
                paperRecipe());
    }

    private static Preset dinosaur(String name, String decoder, DecoderConfiguration of) {
        return new Preset(
                name,
                "DINOSAUR of Seitzer et al. (2023) for COCO, with its "
                        + decoder
                        + "; needs a network's file, backbone.pt",
                new ObjectDiscoveryConfiguration(
                        224,
                        224,
                        Colours.FROM_0_TO_1,
                        7,
                        256,
                        new EncoderConfiguration.Pretrained(
                                "backbone.pt",
                                List.of(0.485, 0.456, 0.406),
                                List.of(0.229, 0.224, 0.225),
                                null,
                                null,
                                new EncoderConfiguration.Projection(768, 256)),
                        random(),
                        slotAttention(256, 1024, PYTORCH, false),
                        of),
                new TrainingRecipe(
                        500_000, 64, LearningRateSchedule.paper(), 1, Augmentation.NONE, 0, SEED));
    }

    private static Preset tetrominoes() {
        int steps = 15_000;
        return invariant(
                "tetrominoes",
                "finds Tetrominoes; trained weights come with the library",
                new ObjectDiscoveryConfiguration(
                        35,
                        35,
                        Colours.FROM_0_TO_1,
                        4,
                        64,
                        new EncoderConfiguration.ContentAndPlace(3, 48),
                        new ConditioningConfiguration.Grid(
                                List.of(0.3, 0.7), List.of(0.3, 0.7), 0.1),
                        new GroupingConfiguration.InvariantSlotAttention(
                                10, 5, 64, 3, 1e-3, 128, true),
                        new DecoderConfiguration.ShapeAndColour(32, 4, 2)),
                steps);
    }

    private static Preset multiDSprites() {
        int steps = 15_000;
        return invariant(
                "multi-dsprites",
                "finds the sprites of Multi-dSprites; trained weights come with the library",
                new ObjectDiscoveryConfiguration(
                        64,
                        64,
                        Colours.FROM_0_TO_1,
                        6,
                        64,
                        new EncoderConfiguration.ContentAndPlace(4, 48),
                        new ConditioningConfiguration.Colours(4),
                        new GroupingConfiguration.InvariantSlotAttention(
                                5, 5, 64, 3, 1e-3, 128, true),
                        new DecoderConfiguration.ShapeAndColour(48, 4, 3)),
                steps);
    }

    private static Preset invariant(
            String name, String description, ObjectDiscoveryConfiguration c, int steps) {
        int decayFrom = 3 * steps / 10;
        return new Preset(
                name,
                description,
                c,
                new TrainingRecipe(
                        steps,
                        32,
                        new LearningRateSchedule(
                                1.2e-3, 200, Decay.COSINE, decayFrom, steps - decayFrom, 0.01),
                        0.05,
                        Augmentation.NONE,
                        0,
                        SEED));
    }
}
