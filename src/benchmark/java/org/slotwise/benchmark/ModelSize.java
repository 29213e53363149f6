package org.slotwise.benchmark;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.Collections;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.model.ConditioningConfiguration;
import org.slotwise.model.DecoderConfiguration;
import org.slotwise.model.EncoderConfiguration;
import org.slotwise.model.GroupingConfiguration;
import org.slotwise.model.ObjectDiscoveryConfiguration;

/** A whole model that is measured, at one size. */
enum ModelSize {
    CLEVR_64("clevr-64", 64, 64, 8, 7),
    CLEVR_128("clevr-128", 128, 64, 2, 7),
    TETROMINOES("tetrominoes", 35, 32, 8, 4),
    MULTI_DSPRITES("multi-dsprites", 64, 32, 4, 6),
    /** Frozen features of a vision transformer, and what is learnt on them. */
    DINOSAUR("dinosaur", 0, 384, 8, 7);

    /** Of a slot, in all of them. */
    static final int SLOT_DIM = 64;

    private static final int CLEVR_CHANNELS = 64;
    private static final int LAYERS = 4;
    private static final int KERNEL = 5;
    private static final int ITERATIONS = 3;
    private static final double EPS = 1e-8;
    private static final double NORM_EPS = 1e-5;
    private static final int PATCHES = 784;
    private static final int[] HIDDEN = {1024, 1024, 1024};

    private final String shown;
    private final int side;
    private final int features;
    private final int batch;
    private final int slots;

    ModelSize(String shown, int side, int features, int batch, int slots) {
        this.shown = shown;
        this.side = side;
        this.features = features;
        this.batch = batch;
        this.slots = slots;
    }

    static ModelSize of(String shown) {
        for (ModelSize size : values()) {
            if (size.shown.equals(shown)) {
                return size;
            }
        }
        throw new IllegalArgumentException("no model " + shown);
    }

    /** Pictures of a training step. */
    int batch() {
        return batch;
    }

    /** Images, or features where there is no encoder. */
    Shape input(int count) {
        return side == 0 ? new Shape(count, PATCHES, features) : new Shape(count, 3, side, side);
    }

    Shape slots(int count) {
        return new Shape(count, slots, SLOT_DIM);
    }

    /** From images to features; null where features come in. */
    @Nullable FeatureExtractor encoder() {
        if (side == 0) {
            return null;
        }
        return features == CLEVR_CHANNELS
                ? SlotAttentionEncoder.clevr()
                : SlotAttentionEncoder.tetrominoes();
    }

    /** The same as a model, whose slots start from learnt values; null where features come in. */
    @Nullable ObjectDiscoveryConfiguration configuration() {
        return side == 0
                ? null
                : new ObjectDiscoveryConfiguration(
                        side,
                        side,
                        ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1,
                        slots,
                        SLOT_DIM,
                        new EncoderConfiguration.Convolutional(
                                Collections.nCopies(LAYERS, features),
                                Collections.nCopies(LAYERS, 1),
                                KERNEL,
                                0,
                                new EncoderConfiguration.Perceptron(
                                        EncoderConfiguration.Positions.ADDED,
                                        true,
                                        NORM_EPS,
                                        features,
                                        features)),
                        new ConditioningConfiguration.Learnt(),
                        new GroupingConfiguration.SlotAttention(
                                ITERATIONS, 1, SLOT_DIM, EPS, NORM_EPS, false, null, false, null),
                        new DecoderConfiguration.SpatialBroadcast(architecture(), 0, false));
    }

    private BroadcastArchitecture architecture() {
        return features == CLEVR_CHANNELS
                ? BroadcastArchitecture.clevr(side)
                : BroadcastArchitecture.tetrominoes(side);
    }

    SlotAttentionGrouping grouping() {
        return SlotAttentionGrouping.builder()
                .setSlotAttention(
                        SlotAttention.builder()
                                .setDim(SLOT_DIM)
                                .setFeatureDim(features)
                                .optKvqDim(SLOT_DIM)
                                .optIterations(ITERATIONS)
                                .build())
                .build();
    }

    Block decoder() {
        if (side == 0) {
            return PatchDecoder.builder()
                    .setSlotDim(SLOT_DIM)
                    .setFeatureDim(features)
                    .setPatches(PATCHES)
                    .optHidden(HIDDEN)
                    .build();
        }
        return SpatialBroadcastDecoder.builder()
                .setSlotDim(SLOT_DIM)
                .setArchitecture(architecture())
                .build();
    }

    @Override
    public String toString() {
        return shown;
    }
}
