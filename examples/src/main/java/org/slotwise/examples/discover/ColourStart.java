package org.slotwise.examples.discover;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Random;
import org.slotwise.grouping.AttentionTrace;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.grouping.StoppingRule;

/**
 * Slots start from pixels of like colour, as stick-breaking finds them without having learnt
 * anything; slots for which no pixels are left stay empty.
 *
 * <p>Stick-breaking compares the directions of its features. A colour channel c in [0, 1] becomes
 * sin(pi c / 2) and cos(pi c / 2): the six numbers of a colour then have one length, and their
 * directions differ by about as much as the colours do.
 *
 * @param slots K, at least 1
 * @param side height and width of a picture
 * @param stride colours are those of the pixels at which the encoder has its features
 */
record ColourStart(int slots, int side, int stride) implements SlotStart {

    /**
     * Two colours are as good as one if they differ by less than about 0.14 of the way from dark to
     * light in one channel.
     */
    private static final double KERNEL_VAR = 0.02 * Math.PI * Math.PI / 12;

    /** A slot is empty if no pixel is its own for more than this. */
    private static final double LEAST = 0.5;

    private static final int SIZE = 6;

    @Override
    public SlotStart withSlots(int slots) {
        return new ColourStart(slots, side, stride);
    }

    /** From [0, 1): which pixels stick-breaking begins with (B, N). Jitter adds nothing to it. */
    @Override
    public NDArray draw(NDManager manager, long images, float jitter, Random random) {
        int along = (side + stride - 1) / stride;
        float[] uniform = new float[(int) images * along * along];
        for (int i = 0; i < uniform.length; i++) {
            uniform[i] = random.nextFloat();
        }
        try (NDArray buffer = manager.create(uniform, new Shape(images, along * along))) {
            return buffer.duplicate();
        }
    }

    @Override
    public PositionedSlots group(
            InvariantSlotAttention grouping,
            Scene scene,
            NDArray draw,
            int iterations,
            boolean training) {
        return grouping.refine(
                scene.store(),
                scene.features(),
                scene.slots(),
                guess(scene.images(), draw),
                iterations,
                training);
    }

    @Override
    public AttentionTrace<PositionedSlots> trace(
            InvariantSlotAttention grouping, Scene scene, NDArray draw, int iterations) {
        return grouping.traceRefinement(
                scene.store(),
                scene.features(),
                scene.slots(),
                guess(scene.images(), draw),
                iterations);
    }

    /**
     * Groups pixels by colour.
     *
     * @param images (B, 3, H, W) in [0, 1]
     * @param uniform what {@link #draw} gave
     * @return attributions (B, K, N), and which slots are empty (B, K)
     */
    PerceptualGroupingOutput guess(NDArray images, NDArray uniform) {
        StickBreakingGrouping grouping =
                StickBreakingGrouping.builder()
                        .setFeatureDim(SIZE)
                        .setObjectDim(SIZE)
                        .setSlots(slots)
                        .optKernelVar(KERNEL_VAR)
                        .optStoppingRule(StoppingRule.builder().optMinMaxMaskValue(LEAST).build())
                        .build();
        grouping.setInitializer((m, shape, type) -> m.eye(SIZE), "in_proj.weight");
        grouping.setInitializer((m, shape, type) -> m.zeros(shape, type), "in_proj.bias");
        try (NDManager own = images.getManager().newSubManager()) {
            NDArray angles =
                    images.get(":, :, ::" + stride + ", ::" + stride)
                            .reshape(images.getShape().get(0), 3, -1)
                            .transpose(0, 2, 1)
                            .mul(Math.PI / 2);
            angles.attach(own);
            NDArray colours = NDArrays.concat(new NDList(angles.sin(), angles.cos()), 2);
            grouping.initialize(own, images.getDataType(), colours.getShape());
            PerceptualGroupingOutput found =
                    grouping.group(
                            new ParameterStore(own, false),
                            new FeatureExtractorOutput(colours),
                            uniform,
                            false);
            found.attributions().attach(images.getManager());
            found.isEmpty().attach(images.getManager());
            return found;
        }
    }
}
