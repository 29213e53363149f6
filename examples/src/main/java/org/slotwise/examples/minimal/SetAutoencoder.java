package org.slotwise.examples.minimal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;

/**
 * A model of one's own around Slot Attention: it describes a set of vectors by a few slots, and
 * makes the vectors again from the slots.
 *
 * <pre>{@code
 * slots, a = SlotAttentionGrouping(Linear(x), RandomConditioning)
 * x'_j     = sum over slots i of  a_ij Linear(slot_i)
 * }</pre>
 *
 * <p>Input: x (B, N, F). Outputs: x' (B, N, F) and the attention a (B, K, N).
 */
final class SetAutoencoder extends AbstractBlock {

    private static final byte VERSION = 1;

    private final int slots;
    private final int slotDim;
    private final Linear encoder;
    private final RandomConditioning conditioning;
    private final SlotAttentionGrouping grouping;
    private final Linear decoder;

    /**
     * Makes the model.
     *
     * @param featureDim F
     * @param slots K
     * @param slotDim the size of a slot, D
     */
    SetAutoencoder(int featureDim, int slots, int slotDim) {
        super(VERSION);
        this.slots = slots;
        this.slotDim = slotDim;
        encoder = addChildBlock("encoder", Linear.builder().setUnits(slotDim).build());
        conditioning =
                addChildBlock(
                        "conditioning",
                        RandomConditioning.builder().setDim(slotDim).setSlots(slots).build());
        grouping =
                addChildBlock(
                        "grouping",
                        SlotAttentionGrouping.builder()
                                .setSlotAttention(
                                        SlotAttention.builder()
                                                .setDim(slotDim)
                                                .setFeatureDim(slotDim)
                                                .build())
                                .build());
        decoder = addChildBlock("decoder", Linear.builder().setUnits(featureDim).build());
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.head();
        NDArray start =
                conditioning.sample(
                        parameterStore, x.getManager(), x.getShape().get(0), slots, training);
        NDArray encoded = encoder.forward(parameterStore, new NDList(x), training).head();
        PerceptualGroupingOutput grouped =
                grouping.group(
                        parameterStore, new FeatureExtractorOutput(encoded), start, training);
        NDArray vectors = // (B, K, F), one for each slot
                decoder.forward(parameterStore, new NDList(grouped.objects()), training).head();
        NDArray attention = grouped.attributions(); // (B, K, N)
        return new NDList(attention.transpose(0, 2, 1).batchMatMul(vectors), attention);
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        conditioning.initialize(manager, type);
        encoder.initialize(manager, type, inputShapes);
        grouping.initialize(manager, type, encoder.getOutputShapes(inputShapes));
        decoder.initialize(manager, type, new Shape(-1, slots, slotDim));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        return new Shape[] {x, new Shape(x.get(0), slots, x.get(1))};
    }
}
