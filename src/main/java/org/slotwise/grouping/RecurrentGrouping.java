package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;

/**
 * Groups the features of a video frame by frame, where each frame starts from what a predictor
 * makes of the slots of the frame before: slots keep their objects.
 *
 * <p>Source: Kipf et al., "Conditional Object-Centric Learning from Video" (2022), section 2.
 *
 * <pre>{@code
 * c[1] = conditioning
 * s[t], a[t] = grouping(features[t], c[t])
 * c[t + 1] = predictor(s[t])                       s[t] itself without a predictor
 * }</pre>
 *
 * <ul>
 *   <li>features (B, T, N, F); positions, and auxiliary features with a time axis, go along with
 *       their frames.
 *   <li>conditioning as the grouping takes it, for the first frame alone.
 *   <li>objects (B, T, K, D), feature attributions (B, T, K, N), empty slots (B, T, K), the last
 *       two if the grouping gives them.
 * </ul>
 *
 * <p>Any grouping will do whose conditioning has the form of its objects, (B, K, D): Slot Attention
 * and k-means, not stick-breaking. Slots that a grouping calls empty are predicted as the others
 * are.
 *
 * <p>The source iterates Slot Attention more often on the first frame, whose slots start from less.
 * {@code optRoundsOnFirstFrame} does that for any grouping: each round starts from the slots of the
 * one before. Slot Attention of one iteration in three rounds is Slot Attention of three
 * iterations.
 */
public final class RecurrentGrouping extends GroupingBlock {

    private final PerceptualGrouping grouping;
    private final @Nullable Block predictor;
    private final int roundsOnFirstFrame;

    private RecurrentGrouping(Builder builder, PerceptualGrouping grouping) {
        this.grouping = grouping;
        predictor = builder.predictor;
        roundsOnFirstFrame = builder.roundsOnFirstFrame;
        addChildBlock("grouping", grouping);
        if (predictor != null) {
            addChildBlock("predictor", predictor);
        }
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        NDArray x = features.features();
        Check.shape(who(), FeatureExtractorOutput.FEATURES, x, "B", "T", "N", "F");
        Check.floating(who(), FeatureExtractorOutput.FEATURES, x.getDataType());
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            List<PerceptualGroupingOutput> frames = new ArrayList<>();
                            NDArray next = conditioning;
                            for (FeatureExtractorOutput frame : features.frames()) {
                                frames.add(frame(pass, frame, next, frames.isEmpty()));
                                NDArray slots = frames.get(frames.size() - 1).objects();
                                next = predictor == null ? slots : pass.forward(predictor, slots);
                            }
                            return stacked(frames).toNDList();
                        });
        return PerceptualGroupingOutput.from(out);
    }

    private PerceptualGroupingOutput frame(
            Pass pass,
            FeatureExtractorOutput frame,
            @Nullable NDArray conditioning,
            boolean isFirst) {
        ParameterStore store = pass.store();
        PerceptualGroupingOutput out = grouping.group(store, frame, conditioning, pass.training());
        for (int round = 1; isFirst && round < roundsOnFirstFrame; round++) {
            out = grouping.group(store, frame, out.objects(), pass.training());
        }
        return out;
    }

    /** Frames side by side on a second axis; only what all frames have. */
    private static PerceptualGroupingOutput stacked(List<PerceptualGroupingOutput> frames) {
        NDList objects = new NDList();
        NDList attributions = new NDList();
        NDList empty = new NDList();
        for (PerceptualGroupingOutput frame : frames) {
            objects.add(frame.objects());
            if (frame.featureAttributions() != null) {
                attributions.add(frame.featureAttributions());
            }
            if (frame.isEmpty() != null) {
                empty.add(frame.isEmpty());
            }
        }
        int count = frames.size();
        return new PerceptualGroupingOutput(
                NDArrays.stack(objects, 1),
                attributions.size() == count ? NDArrays.stack(attributions, 1) : null,
                empty.size() == count ? NDArrays.stack(empty, 1) : null);
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape video = inputShapes[0];
        Check.shape(who(), FeatureExtractorOutput.FEATURES, video, "B", "T", "N", "F");
        Shape[] shapes = grouping.getOutputShapes(ofFrame(inputShapes));
        Shape[] result = new Shape[shapes.length];
        for (int i = 0; i < shapes.length; i++) {
            Shape batch = new Shape(shapes[i].get(0), video.get(1));
            result[i] = batch.addAll(shapes[i].slice(1));
        }
        return result;
    }

    private static Shape[] ofFrame(Shape[] inputShapes) {
        Shape[] shapes = inputShapes.clone();
        if (shapes.length > 0 && shapes[0].dimension() == 4) {
            Shape video = shapes[0];
            shapes[0] = new Shape(video.get(0), video.get(2), video.get(3));
        }
        return shapes;
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        Shape[] ofFrame = ofFrame(inputShapes);
        grouping.initialize(manager, dataType, ofFrame);
        if (predictor != null) {
            predictor.initialize(manager, dataType, grouping.getOutputShapes(ofFrame)[0]);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("grouping", grouping.getClass().getSimpleName())
                .and("predictor", predictor == null ? null : predictor.getClass().getSimpleName());
    }

    /**
     * Starts the description of a grouping of videos.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link RecurrentGrouping}. */
    public static final class Builder {
        private @Nullable PerceptualGrouping grouping;
        private @Nullable Block predictor;
        private int roundsOnFirstFrame = 1;

        private Builder() {}

        /**
         * Sets what groups each frame.
         *
         * @param grouping a grouping whose conditioning has the form of its objects
         * @return this
         */
        public Builder setGrouping(PerceptualGrouping grouping) {
            this.grouping = grouping;
            return this;
        }

        /**
         * Sets what makes the conditioning of the next frame of a frame's slots.
         *
         * @param predictor a {@link SlotPredictor}, or any block from (B, K, D) to (B, K, D); the
         *     slots themselves if not set
         * @return this
         */
        public Builder optPredictor(Block predictor) {
            this.predictor = predictor;
            return this;
        }

        /**
         * Sets how often the first frame is grouped, each time from the slots of the time before.
         *
         * @param rounds from 1 to 10,000; 1 if not set
         * @return this
         */
        public Builder optRoundsOnFirstFrame(int rounds) {
            this.roundsOnFirstFrame = rounds;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if there is no grouping, or the rounds are below 1
         */
        public RecurrentGrouping build() {
            String who = "RecurrentGrouping";
            if (grouping == null) {
                throw new IllegalArgumentException(who + ": grouping is missing");
            }
            Limits.count(who, "roundsOnFirstFrame", roundsOnFirstFrame, 1, Limits.ITERATIONS);
            return new RecurrentGrouping(this, grouping);
        }
    }
}
