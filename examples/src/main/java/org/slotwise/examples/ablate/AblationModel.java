package org.slotwise.examples.ablate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.util.PairList;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.conditioning.Conditioning;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.conditioning.SlotwiseLearntConditioning;
import org.slotwise.decoder.ImagePatchDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGrouping;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotMlp;
import org.slotwise.layer.FeedForward;
import org.slotwise.position.PositionGrid;

/**
 * A small model that describes a picture by slots and makes it again from them, of parts that can
 * each be changed.
 *
 * <pre>{@code
 * slots = SlotAttention(AblationEncoder(image), RandomConditioning)      or another grouping
 * masks, reconstruction = ImagePatchDecoder(slots)
 * }</pre>
 */
public final class AblationModel extends AbstractBlock {

    /** Height and width of a picture. */
    public static final int SIDE = 35;

    /** How many slots there are, if no other number is asked for. */
    static final int SLOTS = 4;

    private static final byte VERSION = 1;
    private static final int SLOT_DIM = 64;
    private static final int FEED_FORWARD = 128;
    private static final int PATCH = 5;

    private final int slots;
    private final AblationEncoder encoder;
    private final @Nullable Conditioning conditioning;
    private final PerceptualGrouping grouping;
    private final ImagePatchDecoder decoder;

    private AblationModel(Builder builder) {
        super(VERSION);
        slots = builder.slots;
        encoder = addChildBlock("encoder", new AblationEncoder(builder.positions));
        conditioning =
                builder.conditioned
                        ? addChildBlock("conditioning", conditioning(builder.start, slots))
                        : null;
        if (conditioning != null && builder.deviation != null) {
            conditioning.setInitializer(
                    new ConstantInitializer((float) Math.log(builder.deviation)),
                    parameter -> "slots_logsigma".equals(parameter.getName()));
        }
        grouping = addChildBlock("grouping", grouping(builder));
        decoder =
                addChildBlock(
                        "decoder",
                        ImagePatchDecoder.builder()
                                .setSlotDim(SLOT_DIM)
                                .setImageSize(SIDE, SIDE)
                                .setPatchSize(PATCH)
                                .build());
    }

    private static Conditioning conditioning(Start start, int slots) {
        return switch (start) {
            case SAMPLED -> RandomConditioning.builder().setDim(SLOT_DIM).setSlots(slots).build();
            case LEARNT -> LearntConditioning.builder().setDim(SLOT_DIM).setSlots(slots).build();
            case SAMPLED_PER_SLOT ->
                    SlotwiseLearntConditioning.builder().setDim(SLOT_DIM).setSlots(slots).build();
        };
    }

    private PerceptualGrouping grouping(Builder builder) {
        if (builder.grouping != null) {
            return builder.grouping.make(slots, AblationEncoder.FEATURE_DIM, SLOT_DIM);
        }
        if (builder.slotMlp) {
            Shape features = encoder.getOutputShapes(new Shape[] {new Shape(1, 3, SIDE, SIDE)})[0];
            return SlotMlp.builder()
                    .setFeatureCount((int) features.get(1))
                    .setFeatureDim(AblationEncoder.FEATURE_DIM)
                    .setSlots(slots)
                    .setDim(SLOT_DIM)
                    .build();
        }
        SlotAttention.Builder attention =
                SlotAttention.builder().setDim(SLOT_DIM).setFeatureDim(AblationEncoder.FEATURE_DIM);
        if (builder.feedForward) {
            attention.optFeedForward(new FeedForward(SLOT_DIM, FEED_FORWARD));
        }
        return builder.attention.apply(attention).build();
    }

    /**
     * Describes pictures by slots, and makes them again.
     *
     * @param store where the weights are
     * @param images (B, 3, 35, 35) in [0, 1]
     * @param training whether to record a graph for gradients
     * @return pictures and masks
     */
    SlotDecoding describe(ParameterStore store, NDArray images, boolean training) {
        NDArray features = encoder.forward(store, new NDList(images), training).head();
        NDManager manager = images.getManager();
        NDArray start =
                conditioning == null
                        ? null
                        : conditioning.sample(
                                store, manager, images.getShape().get(0), slots, training);
        long side = Math.round(Math.sqrt((double) features.getShape().get(1)));
        NDArray positions = PositionGrid.of(manager, features.getDataType(), side, side);
        NDArray objects =
                grouping.group(
                                store,
                                new FeatureExtractorOutput(features, positions),
                                start,
                                training)
                        .objects();
        return decoder.decode(store, objects, training);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return describe(store, inputs.head(), training).toNDList();
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        encoder.initialize(manager, type, inputShapes);
        if (conditioning != null) {
            conditioning.initialize(manager, type);
        }
        grouping.initialize(manager, type);
        decoder.initialize(manager, type);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return decoder.getOutputShapes(
                new Shape[] {new Shape(inputShapes[0].get(0), slots, SLOT_DIM)});
    }

    /** What slots start from. */
    enum Start {
        /** Draws from one learnt normal distribution. */
        SAMPLED,
        /** Learnt vectors. */
        LEARNT,
        /** Draws from learnt normal distributions, one for each slot. */
        SAMPLED_PER_SLOT
    }

    /** Makes a grouping. */
    @FunctionalInterface
    public interface GroupingMaker {
        /** Makes one for so many slots, features (B, N, featureDim) and slots (B, K, slotDim). */
        PerceptualGrouping make(int slots, int featureDim, int slotDim);
    }

    static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link AblationModel}; without options it is the baseline. */
    public static final class Builder {
        private int slots = SLOTS;
        private AblationEncoder.Positions positions = AblationEncoder.Positions.CONCATENATED;
        private Start start = Start.SAMPLED;
        private boolean feedForward = true;
        private boolean slotMlp;
        private @Nullable GroupingMaker grouping;
        private boolean conditioned = true;
        private @Nullable Double deviation;
        private UnaryOperator<SlotAttention.Builder> attention = UnaryOperator.identity();

        private Builder() {}

        Builder optSlots(int slots) {
            this.slots = slots;
            return this;
        }

        Builder optPositions(AblationEncoder.Positions positions) {
            this.positions = positions;
            return this;
        }

        Builder optStart(Start start) {
            this.start = start;
            return this;
        }

        Builder optFeedForward(boolean feedForward) {
            this.feedForward = feedForward;
            return this;
        }

        /** A {@link SlotMlp} in place of Slot Attention, whose options then have no effect. */
        public Builder optSlotMlp(boolean slotMlp) {
            this.slotMlp = slotMlp;
            return this;
        }

        /** Options of Slot Attention. */
        public Builder optAttention(UnaryOperator<SlotAttention.Builder> attention) {
            this.attention = attention;
            return this;
        }

        /** Another grouping in place of Slot Attention, whose options then have no effect. */
        public Builder optGrouping(GroupingMaker grouping) {
            this.grouping = grouping;
            return this;
        }

        /** Whether slots start from anything; a grouping may draw that itself, or need none. */
        public Builder optConditioned(boolean conditioned) {
            this.conditioned = conditioned;
            return this;
        }

        /** The standard deviation with which draws of slots start; about 1 if not set. */
        public Builder optDeviation(double deviation) {
            this.deviation = deviation;
            return this;
        }

        AblationModel build() {
            return new AblationModel(this);
        }
    }
}
